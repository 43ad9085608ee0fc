from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from careplans import reevaluating, unjudged
from careplans.models import CarePlan, Reevaluation
from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import clean_line
from patients import chart_opening, sight


class JudgeForm(forms.Form):
    """What was found and what follows; the table's proposal is chosen already, the reason is the clinician's."""

    result = forms.ChoiceField(label="What was found", choices=Reevaluation.Result, widget=forms.RadioSelect)
    decision = forms.ChoiceField(label="What follows", choices=Reevaluation.Decision, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="Why", max_length=500, validators=[clean_line], help_text="Kept with the data shown on this page."
    )


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def reevaluation(request, pk):
    """The data of the latest evaluation that nobody judged, and what the table proposes; judged by POST."""
    plan = sight.find(CarePlan.objects.with_names(), request.user, "careplan.write", pk)
    evaluation = unjudged.latest(plan)
    if evaluation is None or not plan.is_active:
        messages.error(request, "No signed evaluation of this plan waits to be judged.")
        return redirect("plan", pk)
    chart_opening.record_read("evaluation.viewed", evaluation, by=request.user)
    found = reevaluating.review(plan, evaluation)
    usual = {
        "result": found.result or Reevaluation.Result.UNKNOWN,
        "decision": found.decisions[0] if found.decisions else "",
    }
    form = JudgeForm(request.POST if request.method == "POST" else None, initial=usual)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                kept = reevaluating.record(plan, evaluation=evaluation, by=request.user, **form.cleaned_data)
            except RuleBroken as broken:
                for name, text in (broken.fields or {"": broken.message}).items():
                    form.add_error(name if name in form.fields else None, text)
                status = broken.status
            else:
                messages.success(request, f"Recorded: {kept.get_result_display()}. {kept.get_decision_display()}.")
                return redirect("plan", pk)
    return render(request, "careplans/reevaluation.html", {"plan": plan, "found": found, "form": form}, status=status)
