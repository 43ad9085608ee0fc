from datetime import timedelta

from django.core.exceptions import BadRequest
from django.db.models import Prefetch
from django.shortcuts import render
from django.views.decorators.http import require_GET

from appointments.mails import follow_ups
from appointments.models import FollowUp
from appointments.moving import bulk_moves, move_links
from appointments.waiting import waitlist_page
from careplans import progress
from clinic import audit, times
from clinic.policy import requires
from dashboard import checkpoints, pace, unsigned, worklists
from evaluations.models import Evaluation, VisitNote
from evaluations.safety import incidents
from locations import access
from locations.current import choices, current
from patients import queries

ALL = "all"
ABOUT_PATIENTS = {FollowUp.About.NO_VISIT, FollowUp.About.OWED}  # their lines are no visits
QUICK = (FollowUp.Result.NO_ANSWER, FollowUp.Result.LEFT_MESSAGE)  # buttons of their own; the others are under "More"


@require_GET
@requires("appointment.read")
def listing(request):
    """One list at a time, with the counts of all; `location` may be given several times, or be `all`."""
    one = worklists.LISTS.get(request.GET.get("list", FollowUp.About.UNCONFIRMED))
    if one is None:
        raise BadRequest("There is no such list.")
    mine = choices(request.user)
    chosen = _chosen(request, mine)
    context = {
        "list": one,
        "lines": _lines(one, chosen, request.user),
        "tabs": [{"list": worklists.LISTS[about], "count": n} for about, n in _counts(chosen, request.user)],
        "mine": mine,
        "chosen": chosen,
        "is_all": len(chosen) == len(mine),
        "shows_place": len(chosen) > 1,
        "waiting": waitlist_page.entries(request.user, state=waitlist_page.WAITING, locations=chosen).count(),
        "query": "&".join(f"location={place.slug}" for place in chosen),
        "limit": worklists.SHOWN,
        "quick": [(result.value, result.label) for result in QUICK],
        "results": _results(one.about),
        "may_change": access.can(request.user, "appointment.change"),
        "moves": _way(chosen) if one.about == FollowUp.About.IN_THE_WAY else "",
    }
    if access.can(request.user, "evaluation.unsigned"):
        context |= {"sees_unsigned": True, "unsigned": unsigned.count(request.user)}
    context["sees_plans"] = access.can(request.user, "careplan.read")
    if access.can(request.user, "incident.read"):
        context |= {"sees_incidents": True, "incidents": incidents.not_closed(request.user).count()}
    return render(request, "dashboard/worklists.html", context)


def _way(chosen):
    """To where visits on days off are moved at once: at the one clinic chosen, or at all."""
    if not chosen:
        return ""
    first = min(place.today() for place in chosen)
    last = first + timedelta(days=bulk_moves.LONGEST - 1)
    return move_links.of_stuck(first, last, location=chosen[0] if len(chosen) == 1 else None)


@require_GET
@requires("appointment.read")
def off_pace(request):
    """Plans that are behind or lost, at the clinics chosen."""
    mine = choices(request.user)
    chosen = _chosen(request, mine)
    found, total = pace.lines(chosen, request.user) if chosen else ([], 0)
    audit.record_all("care_plan.listed", [line.row for line in found], by=request.user)
    context = {
        "list": {"about": pace.ABOUT},
        "lines": [{"line": line, "may_change": access.can(request.user, "appointment.change", line.row.location),
                   "may_read": access.can(request.user, "careplan.read", line.row.location)} for line in found],
        "total": total,
        "rules": progress.RULES,
        "mine": mine,
        "chosen": chosen,
        "is_all": len(chosen) == len(mine),
        "shows_place": len(chosen) > 1,
        "quick": [(result.value, result.label) for result in QUICK],
        "results": _results(pace.ABOUT),
    }  # fmt: skip
    return render(request, "dashboard/pace.html", context)


@require_GET
@requires("careplan.read")
def checkpoints_due(request):
    """Re-evaluations that are overdue, due, or wait for the decision: one's own, or of all plans in sight."""
    mine_only = hasattr(request.user, "practitioner") and request.GET.get("whose") != ALL
    found, total = checkpoints.lines(request.user, mine_only=mine_only)
    audit.record_all("care_plan.listed", [line.row for line in found], by=request.user)
    context = {
        "lines": found,
        "total": total,
        "mine_only": mine_only,
        "has_plans": hasattr(request.user, "practitioner"),
        "has_worklists": access.can(request.user, "appointment.read"),
    }
    return render(request, "dashboard/checkpoints.html", context)


@require_GET
@requires("evaluation.unsigned")
def not_signed(request):
    """What waits of one's own, and for managers of their clinics: that it waits, not what it says."""
    found = unsigned.lines(request.user)
    for kind, action in ((Evaluation, "evaluation.listed"), (VisitNote, "visit_note.listed")):
        audit.record_all(action, [line.record for line in found if isinstance(line.record, kind)], by=request.user)
    total = unsigned.count(request.user) if len(found) == unsigned.SHOWN else len(found)
    context = {"lines": found, "total": total, "has_worklists": access.can(request.user, "appointment.read")}
    return render(request, "dashboard/unsigned.html", context)


def _counts(chosen, user):
    return worklists.counts(chosen, user).items() if chosen else []


def _chosen(request, mine):
    slugs = request.GET.getlist("location")
    if ALL in slugs:
        return mine
    here = current(request)
    return [place for place in mine if place.slug in slugs] or ([here] if here else [])


def _results(about):
    """What else a call can have come to; some lines are settled by their own buttons only."""
    left_out = {*QUICK, *(follow_ups.DONE if about in follow_ups.NEVER_SETTLED else ())}
    return [(value, label) for value, label in FollowUp.Result.choices if value not in left_out]


def _lines(one, chosen, user):
    if not chosen:
        return []
    found = one.lines(chosen, user).with_names()
    calls = FollowUp.objects.filter(about=one.about).select_related("by", "location")
    way = "patient__follow_ups" if one.about in ABOUT_PATIENTS else "follow_ups"
    found = found.prefetch_related(Prefetch(way, calls, to_attr="calls"))[: worklists.SHOWN]
    lines = [_line(one, row, access.can(user, "appointment.change", row.location)) for row in found]
    if one.about == FollowUp.About.ONLINE:
        alike = queries.others_like(user, [line["patient"] for line in lines])
        lines = [line | {"request": line["row"].booking_request, "alike": alike.get(line["patient"].pk, [])}
                 for line in lines]  # fmt: skip
    return lines


def _line(one, row, may_change):
    is_visit = one.about not in ABOUT_PATIENTS
    calls = row.calls if is_visit else [c for c in row.patient.calls if c.at > row.since]
    return {
        "row": row,
        "patient": row.patient,
        "visit": row if is_visit else None,
        "last_visit": _last_visit(row) if one.about == FollowUp.About.NO_VISIT else None,
        "calls": [{"call": call, "on": times.local(call.at, row.location.time_zone)} for call in calls],
        "may_change": may_change,
    }


def _last_visit(plan):
    return times.local(plan.last_visit, plan.location.time_zone) if plan.last_visit else None
