"""What patients see of their plan on their own page: plain values. Reads, never writes.

Of a plan that a red flag holds up they read that care waits and whom to call: no flag by name, and no exercises.
"""

from datetime import date

from django.utils.translation import gettext as _

from appointments.models import Appointment
from careplans import agreement_page, goals, home_programme, metrics, progress, safety_hold, versions
from careplans.models import CarePlan
from clinic import times
from evaluations import interventions


def read(plan: CarePlan, day: date | None = None) -> dict:
    """Context of the page; `day` is the day of the home programme that is answered, else today."""
    so_far = progress.of_plan(plan)
    phases, version = list(plan.phases.all()), versions.latest(plan)
    done = so_far.visits.fulfilled + so_far.visits.let_go if so_far else 0
    is_held = safety_hold.of_plan(plan) is not None
    return {
        "plan": plan,
        "is_held": is_held,
        "next": _next(plan, is_held),
        "progress": so_far,
        "checkpoint_day": so_far and times.spoken_day(so_far.checkpoint.due_on, year=False),
        "phases": _phases(phases, done),
        "goals": _goals(plan),
        "signing": agreement_page.to_sign(plan) if plan.is_under_way else None,
        "agreed": agreement_page.agreed(plan),
        "document": version.document if version else None,
        **({} if is_held else _home(plan, day)),
    }


def _next(plan, is_held):
    """The patient's next visit, be it of this plan or not, and what it is for."""
    ahead = Appointment.objects.holding_time().filter(patient=plan.patient, ends_at__gt=times.now())
    ahead = ahead.exclude(status=Appointment.Status.COMPLETED).with_names().select_related("series_visit")
    visit = ahead.order_by("starts_at").first()
    if visit is None:
        return None
    return {
        "when": times.spoken(visit.starts_at, visit.location.time_zone),
        "visit": visit,
        "why": _("We look first at how you are.") if is_held else _why(plan, visit),
    }


def _why(plan, visit) -> str:
    if visit.series_visit is None or visit.series_visit.series_id != plan.series_id:
        return visit.type.name
    if visit.series_visit.type_id == plan.series.checkpoint_type_id:
        return _("We look again at how you are, and decide together how to go on.")
    return _("We check your neck first, and treat only what the check calls for.")


def _phases(phases, done):
    shown = []
    for phase in phases:
        of_this = min(max(done, 0), phase.visit_count)
        done -= phase.visit_count
        name, aim = _phase_words(phase.kind)
        shown.append({"phase": phase, "name": name, "aim": aim, "done": of_this})
    return shown


def _phase_words(kind) -> tuple[str, str]:
    """As `plan_documents.AIMS`, in the patient's language."""
    return {
        "relief": (_("Relief"), _("to ease pain and have fewer attacks")),
        "corrective": (
            _("Corrective"),
            _("to hold what was gained: each visit checks first, and adjusts only where the check says so"),
        ),
        "stabilisation": (_("Stabilisation"), _("to keep what was gained")),
    }[kind]


def _goals(plan):
    rows = list(plan.goals.all())
    current = goals.current(plan, rows)
    return [_goal(row, current.get(row.pk)) for row in rows]


def _goal(row, now):
    metric = metrics.METRICS.get(row.metric)

    def said(value):
        return f"{metrics.shown(value)} {metrics.shown_unit(row.unit, value)}"

    return {
        "label": metric.label if metric else row.metric,
        "baseline": said(row.baseline),
        "target": said(row.target),
        "due_day": times.spoken_day(row.due_on),
        "now": now and said(now.value),
        "percent": now and now.percent,
    }


def _home(plan, day):
    """The exercises with their answers of the day, the days that can be answered, and how it was kept."""
    exercises, open_days = home_programme.exercises(plan), home_programme.days(plan)
    runs = plan.status in {CarePlan.Status.ACTIVE, CarePlan.Status.ON_HOLD}
    if not exercises or not runs or not open_days:
        return {"exercises": [{"row": row, "label": interventions.label_of(row.code)} for row in exercises]}
    day = day if day in open_days else open_days[0]
    rows = plan.home_answers.filter(day__in=open_days).values_list("day", "code", "is_done")
    answers = {(on, code): is_done for on, code, is_done in rows}
    return {
        "exercises": [
            {"row": row, "label": interventions.label_of(row.code), "done": answers.get((day, row.code))}
            for row in exercises
        ],
        "day": day,
        "days": [{"day": one, "is_here": one == day, "is_answered": any(on == one for on, _code in answers)}
                 for one in open_days],
        "kept": home_programme.kept(plan),
    }  # fmt: skip
