from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careplans import (
    agreement_page,
    blocks,
    consent_rules,
    goals,
    metrics,
    plan_page,
    plan_templates,
    planning,
    revising,
)
from careplans.form_rows import filled, rows_of, show
from careplans.forms import GoalRows, PhaseRows, PlanForm, RevisionForm, StepForm
from careplans.models import CarePlan, Phase, PlanTemplate, PlanTemplateVersion
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations.models import Evaluation
from evaluations.safety import restrictions
from locations import access
from patients import chart_opening, sight
from patients.models import Patient

STEPS_DONE = {
    "activate": "The plan is active. Put its visits on the calendar next.",
    "hold": "The plan is on hold. Visits already booked stay on the calendar.",
    "resume": "The plan is active again.",
    "complete": "The plan is completed.",
    "discontinue": "The plan is discontinued. Cancel the visits that are no longer wanted.",
}


def _plan(request, pk, action="careplan.read"):
    return sight.find(CarePlan.objects.with_names(), request.user, action, pk)


def _number(request, name):
    value = request.GET.get(name, "")
    if value and not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadRequest(f"{name} must be a number.")
    return int(value) if value else None


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def new(request):
    """From `?evaluation=ID`, or from the latest signed evaluation of `?patient=ID`."""
    evaluations = Evaluation.objects.select_related("patient", "location")
    if (pk := _number(request, "evaluation")) is not None:
        evaluation = sight.find(evaluations, request.user, "careplan.write", pk)
    elif (pk := _number(request, "patient")) is not None:
        patient = get_object_or_404(Patient.objects.visible_to(request.user, "careplan.write"), pk=pk)
        evaluation = evaluations.in_force().filter(patient=patient).order_by("-signed_at").first()
        if evaluation is None:
            messages.error(request, "A care plan is written from a signed evaluation, and there is none yet.")
            return redirect("patient", patient.pk)
    else:
        raise BadRequest("Say which evaluation the plan is written from.")
    template = _template(request)
    return _editor(request, evaluation, _first_proposal(request, evaluation, template), template=template)


def _template(request) -> PlanTemplateVersion | None:
    """The latest version of the template asked for."""
    pk = _number(request, "template")
    if pk is None:
        return None
    return plan_templates.latest(get_object_or_404(PlanTemplate, pk=pk, is_offered=True))


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def edit(request, pk):
    plan = _plan(request, pk, "careplan.write")
    if not plan.is_under_way:
        messages.error(request, "The plan is over: it stays as it is.")
        return redirect("plan", plan.pk)
    return _editor(request, plan.evaluation, _as_typed(plan), plan=plan)


def _first_proposal(request, evaluation, template):
    today = evaluation.location.today()
    who = {"practitioner": getattr(request.user, "practitioner", None), "location": evaluation.location}
    if template:
        found = plan_templates.proposal(template, evaluation, starts_on=today)
        said = found.said | {"interventions": [row["code"] for row in found.said["interventions"]]}
        return {"plan": said | who, "phases": said["phases"], "goals": said["goals"], "left_out": found.left_out}
    return {
        "plan": {
            **who,
            "starts_on": today,
            "reevaluate_by": today + timedelta(days=28),
        },
        "phases": [{"kind": Phase.Kind.RELIEF, "visits_per_week": 2, "weeks": 4}],
        "goals": _usual_goals(evaluation, today + timedelta(days=56)),
    }


def _usual_goals(evaluation, due_on):
    """The first complaint that the evaluation measured, with its usual target; else migraine days, to be filled in."""
    for name, now in goals.values(evaluation).items():
        metric = metrics.METRICS[name]
        target = metric.usual_target(now)
        if metric.is_patient_reported and target is not None and target != now:
            return [{"metric": name, "baseline": now, "target": target, "due_on": due_on}]
    return [{"metric": "migraine_days_28", "due_on": due_on}]


def _as_typed(plan):
    return {
        "plan": {
            "version": plan.version,
            "diagnoses": plan.diagnoses,
            "referrals": plan.referrals,
            "practitioner": plan.practitioner,
            "location": plan.location,
            "starts_on": plan.starts_on,
            "reevaluate_by": plan.reevaluate_by,
            "reevaluate_after_visits": plan.reevaluate_after_visits,
            "interventions": [row.code for row in plan.interventions.all()],
            "doses": {row.code: row.dose for row in plan.interventions.all()},
            "note": plan.note,
        },
        "phases": list(plan.phases.values("kind", "visits_per_week", "every_weeks", "weeks")),
        "goals": list(plan.goals.values("metric", "baseline", "target", "due_on")),
    }


def _editor(request, evaluation, initial, plan=None, template=None):
    standing = blocks.restrictions_on(plan) if plan else restrictions.of(evaluation.patient)
    chart_opening.record_read("evaluation.viewed", evaluation, by=request.user)
    data = request.POST or None
    more = {"runs": not plan.is_draft} if plan else {}
    form = (RevisionForm if plan else PlanForm)(
        data, user=request.user, restrictions=standing, initial=initial["plan"], **more
    )
    status, conflict = 200, None
    phases, goals = (
        rows_of(rows, data, name, initial[name]) for rows, name in ((PhaseRows, "phases"), (GoalRows, "goals"))
    )
    if request.method == "POST" and all([form.is_valid(), phases.is_valid(), goals.is_valid()]):
        try:
            saved = _save(request, evaluation, plan, form, phases, goals, template)
        except RuleBroken as broken:
            show(broken, form, {"phases": phases, "goals": goals})
            status = broken.status
            if conflict := broken.conflict:  # what was typed stays, and is saved over it by saving once more
                form.data = form.data.copy()
                form.data["version"] = conflict["version"]
        else:
            messages.success(request, _saved_words(saved, plan))
            return redirect("plan", saved.pk)
    context = {
        "form": form,
        "phases": phases,
        "goals": goals,
        "evaluation": evaluation,
        "plan": plan,
        "conflict": conflict,
        "next_version": plan and (conflict["version"] if conflict else plan.version) + 1,
        "templates": [] if plan else list(PlanTemplate.objects.filter(is_offered=True)),
        "template": template,
        "left_out": initial.get("left_out", []),
        **(plan_page.picture_of(plan) if plan else {}),
        "agreed": plan and agreement_page.agreed(plan),
        "restrictions": plan_page.restriction_labels(standing),
    }
    return render(request, "careplans/edit.html", context, status=status)


def _saved_words(saved, before):
    if before is None or saved.is_draft:
        return "The draft is saved."
    return f"The plan says this as version {saved.version}. Let the patient read and sign it; what it said stays below."


def _save(request, evaluation, plan, form, phases, goals, template):
    said = {
        **form.cleaned_data,
        "phases": [row.cleaned_data for row in filled(phases)],
        "goals": [row.cleaned_data for row in filled(goals)],
    }
    if plan:
        return revising.revise(plan, seen=said.pop("version"), by=request.user, **said)
    return planning.draft(evaluation=evaluation, by=request.user, made_from=template, **said)


@require_GET
@requires("careplan.read")
def plan(request, pk):
    found = _plan(request, pk)
    chart_opening.record_read("care_plan.read", found, by=request.user)
    return _page(request, found)


@require_GET
@requires("careplan.read")
def print_page(request, pk):
    found = _plan(request, pk)
    chart_opening.record_read("care_plan.printed", found, by=request.user)
    return render(request, "careplans/print.html", plan_page.read(found))


def _page(request, found, *, forms=None, status=200):
    """The plan with its forms; `forms` are those that were refused and keep what was typed."""
    may_write = access.can(request.user, "careplan.write", found.location) and not found.opened_until
    shown = plan_page.read(found)
    context = {
        **shown,
        "owed_checkpoint": shown["owes_checkpoint"] and not any(block.stops_running for block in shown["blocks"]),
        "may_sign": may_write and found.is_under_way and bool(not shown["agreed"] or consent_rules.of_plan(found)),
        "steps": planning.allowed(found) if may_write else [],
        "may_schedule": found.is_active and access.can(request.user, "appointment.create", found.location),
        "may_write": may_write,
        **(forms or {}),
    }
    return render(request, "careplans/plan.html", context, status=status)


@require_POST
@requires("careplan.write")
def step(request, pk):
    found = _plan(request, pk, "careplan.write")
    form = StepForm(request.POST)
    try:
        if not form.is_valid():
            raise RuleBroken(next(iter(form.errors.values()))[0], code="invalid", status=400)
        planning.take(form.cleaned_data["step"], found, by=request.user, reason=form.cleaned_data["reason"])
    except RuleBroken as broken:
        return _page(request, found, forms={"refused": broken.message, "reason": request.POST.get("reason", "")},
                     status=broken.status)  # fmt: skip
    messages.success(request, STEPS_DONE[form.cleaned_data["step"]])
    return redirect("plan", found.pk)
