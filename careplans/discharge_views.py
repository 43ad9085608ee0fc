"""Discharging a patient from a plan, and the summary of it: on the screen, on paper, by the same page."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods

from appointments.recurring import standing
from careplans import discharging, planning
from careplans.models import CarePlan, Discharge
from clinic import pdf
from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import clean_line, clean_note
from patients import chart_opening, sight


def _text(label, **options):
    return forms.CharField(
        label=label, required=False, max_length=2000, validators=[clean_note], widget=forms.Textarea({"rows": 3}),
        **options,
    )  # fmt: skip


class DischargeForm(forms.Form):
    reason = forms.ChoiceField(label="Why", choices=Discharge.Reason, widget=forms.RadioSelect)
    why = forms.CharField(label="In a sentence", required=False, max_length=300, validators=[clean_line])
    pgic = forms.IntegerField(
        label="Impression of change, 1 to 7", required=False, min_value=1, max_value=7,
        help_text="1 is very much better, 4 no change, 7 very much worse. As the patient says.",
    )  # fmt: skip
    residual = _text("What remains", help_text="Limits that stay; empty: none.")
    home = _text("Home programme from now on")
    return_if = _text("Come back if")
    summary_to = forms.CharField(
        label="Summary goes to", required=False, max_length=200, validators=[clean_line], help_text="Who referred."
    )


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def discharge(request, pk):
    plan = sight.find(CarePlan.objects.with_names(), request.user, "careplan.write", pk)
    if plan.status not in planning.STEPS["complete"]:
        messages.error(request, f"The plan is {plan.get_status_display().lower()}: nobody is discharged from it.")
        return redirect("plan", pk)
    found = discharging.outcome(plan)
    usual = {
        "pgic": found.pgic,
        "home": "\n".join(discharging.home_programme(plan)),
        "return_if": "\n".join(discharging.USUAL_RETURN_IF),
        "summary_to": "; ".join(plan.referrals),
    }
    form = DischargeForm(request.POST if request.method == "POST" else None, initial=usual)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                discharging.discharge(plan, by=request.user, **form.cleaned_data)
            except RuleBroken as broken:
                for name, text in (broken.fields or {"": broken.message}).items():
                    form.add_error(name if name in form.fields else None, text)
                status = broken.status
            else:
                messages.success(request, "Discharged. Print the summary, and cancel visits that are no longer wanted.")
                return redirect("plan-discharge-summary", pk)
    chart_opening.record_read("care_plan.read", plan, by=request.user)
    context = {"plan": plan, "form": form, "measures": discharging.by_day(found.measures)}
    return render(request, "careplans/discharge.html", context, status=status)


@require_GET
@requires("careplan.read")
def summary(request, pk):
    plan = _read(request, pk, "care_plan.printed")
    return _summary(request, plan, _said(plan))


@require_GET
@requires("careplan.read")
def summary_pdf(request, pk):
    """The same as a file, to be sent on; where none can be made, the page is printed instead."""
    plan = _read(request, pk, "care_plan.pdf_made")
    said = _said(plan)
    try:
        if said["discharge"] is None:
            return _summary(request, plan, said)
        content = pdf.render(render_to_string("careplans/discharge_pdf.html", said))
    except pdf.Unavailable:
        return _summary(request, plan, said)
    headers = {"Content-Disposition": f'inline; filename="discharge-{pk}.pdf"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def _read(request, pk, what):
    plan = sight.find(CarePlan.objects.with_names(), request.user, "careplan.read", pk)
    chart_opening.record_read(what, plan, by=request.user)
    return plan


def _said(plan):
    found = Discharge.objects.filter(plan=plan).select_related("by").first()
    measures = discharging.by_day(found.measures) if found else []
    return {"plan": plan, "discharge": found, "visits": planning.visits_taken(plan), "measures": measures}


def _summary(request, plan, said):
    ahead = sum(one.state == standing.PLACED for one in standing.of(plan.series)) if plan.series else 0
    context = said | {"ahead": ahead, "no_pdf": pdf.problem()}
    return render(request, "careplans/discharge_summary.html", context)
