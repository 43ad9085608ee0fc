"""The page on which a clinician opens the chart of a patient whom they do not treat."""

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import clean_line
from patients import chart_opening
from patients.models import ChartOpening, Patient


class OpenForm(forms.Form):
    reason = forms.ChoiceField(label="Why", choices=[("", "Choose…"), *ChartOpening.Reason.choices])
    words = forms.CharField(
        label="In your words", max_length=500, validators=[clean_line],
        help_text="Who asked, and what you need to see. The owner and the clinic's managers read this.",
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@requires("chart.open")
@reauthentication_required(allow_get=True)
def open_chart(request, pk):
    """Asks for the password again, since an unlocked screen must not open charts; what was typed is kept meanwhile."""
    seen = Patient.objects.visible_to(request.user, "chart.open").select_related("home_location")
    patient = get_object_or_404(seen, pk=pk)
    following = _next(request)
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opening = chart_opening.open_chart(patient, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            for name, said in (refused.fields or {None: refused.message}).items():
                form.add_error(name, said)
        else:
            minutes = chart_opening.minutes_left(opening.until)
            messages.warning(request, f"The chart is open to you for {minutes} minutes. That you opened it is kept.")
            return redirect(following or "patient", *([] if following else [pk]))
    context = {"form": form, "patient": patient, "next": following}
    return render(request, "patients/open_chart.html", context, status=400 if request.method == "POST" else 200)


def _next(request):
    """The page that was asked for, if that is an address of ours."""
    address = request.POST.get("next") or request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if allowed else ""
