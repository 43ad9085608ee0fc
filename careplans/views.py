from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careplans import blocks, goals, metrics, plan_page, planning
from careplans.forms import ConsentForm, GoalRows, PhaseRows, PlanForm, StepForm
from careplans.models import CarePlan, Phase
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations.models import Evaluation
from locations import access
from patients import chart_opening, sight
from patients.models import Patient

ROWS = 3
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
        evaluation = evaluations.filter(patient=patient).exclude(signed_at=None).order_by("-signed_at").first()
        if evaluation is None:
            messages.error(request, "A care plan is written from a signed evaluation, and there is none yet.")
            return redirect("patient", patient.pk)
    else:
        raise BadRequest("Say which evaluation the plan is written from.")
    return _editor(request, evaluation, _first_proposal(request, evaluation))


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def edit(request, pk):
    plan = _plan(request, pk, "careplan.write")
    if not plan.is_draft:
        messages.error(request, "Only a draft can be changed.")
        return redirect("plan", plan.pk)
    return _editor(request, plan.evaluation, _as_typed(plan), plan=plan)


def _first_proposal(request, evaluation):
    today = evaluation.location.today()
    practitioner = getattr(request.user, "practitioner", None)
    return {
        "plan": {
            "practitioner": practitioner,
            "location": evaluation.location,
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
            "practitioner": plan.practitioner,
            "location": plan.location,
            "starts_on": plan.starts_on,
            "reevaluate_by": plan.reevaluate_by,
            "reevaluate_after_visits": plan.reevaluate_after_visits,
            "interventions": [row.code for row in plan.interventions.all()],
            "note": plan.note,
        },
        "phases": list(plan.phases.values("kind", "visits_per_week", "weeks")),
        "goals": list(plan.goals.values("metric", "baseline", "target", "due_on")),
    }


def _editor(request, evaluation, initial, plan=None):
    restrictions = blocks.restrictions_of(evaluation.patient)
    chart_opening.record_read("evaluation.viewed", evaluation, by=request.user)
    data = request.POST or None
    form = PlanForm(data, user=request.user, restrictions=restrictions, initial=initial["plan"])
    phases, goals = (
        _rows(rows, data, name, initial[name]) for rows, name in ((PhaseRows, "phases"), (GoalRows, "goals"))
    )
    if request.method == "POST" and all([form.is_valid(), phases.is_valid(), goals.is_valid()]):
        try:
            saved = _save(request, evaluation, plan, form, phases, goals)
        except RuleBroken as broken:
            _show(broken, form, {"phases": phases, "goals": goals})
        else:
            messages.success(request, "The draft is saved.")
            return redirect("plan", saved.pk)
    context = {
        "form": form,
        "phases": phases,
        "goals": goals,
        "evaluation": evaluation,
        "plan": plan,
        "restrictions": plan_page.restriction_labels(restrictions),
    }
    return render(request, "careplans/edit.html", context)


def _rows(rows, data, name, initial):
    """At least three rows; the rows beyond what is there already are empty."""
    found = rows(data, prefix=name, initial=initial)
    found.extra = max(ROWS - len(initial), 1)
    return found


def _filled(rows):
    return [row for row in rows if row.cleaned_data and row.is_filled]


def _save(request, evaluation, plan, form, phases, goals):
    said = {
        **form.cleaned_data,
        "phases": [row.cleaned_data for row in _filled(phases)],
        "goals": [row.cleaned_data for row in _filled(goals)],
    }
    if plan:
        return planning.revise(plan, by=request.user, **said)
    return planning.draft(evaluation=evaluation, by=request.user, **said)


def _show(broken, form, sets):
    """Each fault of a refused plan at the field where it was typed; what has no field goes to the top."""
    for name, text in (broken.fields or {"": broken.message}).items():
        where, number, field = [*name.split("."), "", ""][:3]
        if where in sets and field:
            _filled(sets[where])[int(number)].add_error(field, text)
        else:
            form.add_error(where if where in form.fields else None, text)


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
    context = {
        **plan_page.read(found),
        "steps": planning.allowed(found) if may_write else [],
        "may_schedule": found.is_active and access.can(request.user, "appointment.create", found.location),
        "consent": ConsentForm(),
        **(forms or {}),
    }
    return render(request, "careplans/plan.html", context, status=status)


@require_POST
@requires("careplan.write")
def consent(request, pk):
    found = _plan(request, pk, "careplan.write")
    form = ConsentForm(request.POST)
    if form.is_valid():
        try:
            planning.sign_consent(found, name=form.cleaned_data["name"], by=request.user)
        except RuleBroken as broken:
            form.add_error(None, broken.message)
        else:
            messages.success(request, "The consent is signed.")
            return redirect("plan", found.pk)
    return _page(request, found, forms={"consent": form}, status=400)


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
