"""Calls about the lines of a worklist and what became of them: the only writer of FollowUp.

A line leaves its list when the call settled it, and comes back on a day when it did not. Every call stays on record.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from appointments.models import Appointment, FollowUp
from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location
from patients.models import Patient

_R = FollowUp.Result
DONE = frozenset({_R.SETTLED, _R.DECLINED})
# What no call can settle, and what does.
NEVER_SETTLED = {
    FollowUp.About.UNCONFIRMED: "Confirm, move or cancel the visit instead: then it leaves the list by itself.",
    FollowUp.About.OWED: "Place the visits or let them go instead: then they leave the list by themselves.",
    FollowUp.About.PACE: "Book the next visit, or let the clinician end the plan: then it leaves the list by itself.",
}
LATEST_AGAIN = timedelta(days=90)


@transaction.atomic
def record(
    *,
    patient: Patient,
    location: Location,
    about: str,
    result: str,
    by: User,
    appointment: Appointment | None = None,
    note: str = "",
    again_on: date | None = None,
) -> FollowUp:
    """Keep one call. A call that did not settle it comes back on `again_on`, or on the next day at the location.

    Raises RuleBroken (`invalid`, 400) naming the field; Http404 for a patient out of sight.
    """
    access.require(by, "appointment.change", location)
    if not Patient.objects.visible_to(by).filter(pk=patient.pk).exists():
        raise Http404
    today = location.today()
    note = note.strip()
    if result not in DONE and again_on is None:
        again_on = today + timedelta(days=1)
    _check(about, result, note, again_on, today)
    made = FollowUp(
        patient=patient, location=location, appointment=appointment, about=about, result=result, note=note,
        again_on=again_on, by=by, at=times.now(),
    )  # fmt: skip
    try:
        made.clean_fields()
    except ValidationError as error:
        raise _refusal({name: " ".join(said) for name, said in error.message_dict.items()}) from None
    made.save(force_insert=True)
    audit.record("follow_up.recorded", on=made, by=by, about=about, result=result)
    return made


def _check(about, result, note, again_on, today) -> None:
    wrong = {}
    if about in NEVER_SETTLED and result in DONE:
        wrong["result"] = NEVER_SETTLED[about]
    elif result in DONE and again_on:
        wrong["again_on"] = "This result is final, so leave the day empty, or choose another result."
    elif again_on and not today < again_on <= today + LATEST_AGAIN:
        wrong["again_on"] = f"Choose a day from tomorrow on, within {LATEST_AGAIN.days} days."
    if result == _R.DECLINED and not note:
        wrong["note"] = "Say in a few words why they do not want it."
    if wrong:
        raise _refusal(wrong)


def _refusal(fields):
    return RuleBroken(" ".join(fields.values()), code="invalid", fields=fields, status=400)


def by_zone(locations: Iterable[Location]) -> list[tuple[str, list[int]]]:
    """(zone, location ids): what a question about "today" has to be asked apart for."""
    found: dict[str, list[int]] = {}
    for place in locations:
        found.setdefault(place.time_zone, []).append(place.pk)
    return sorted(found.items())


def waiting(lines: QuerySet, about: str, locations: Iterable[Location]) -> QuerySet:
    """The lines (visits) nobody has called about yet, or whose day has come, today at their location."""
    calls = FollowUp.objects.filter(about=about, appointment=OuterRef("pk"))
    return _not_put_off(lines, calls, locations)


def waiting_patients(lines: QuerySet, about: str, locations: Iterable[Location], *, since: str) -> QuerySet:
    """As `waiting`, for rows with a patient; calls made before `since` (a field of the row) count no more."""
    calls = FollowUp.objects.filter(about=about, patient=OuterRef("patient"), at__gt=OuterRef(since))
    return _not_put_off(lines, calls, locations)


def _not_put_off(lines, calls, locations):
    last = calls.order_by("-at", "-pk")
    due = Q(last_result=None)
    for zone, ids in by_zone(locations):
        due |= Q(location__in=ids, last_again_on__lte=times.today(zone))
    return lines.annotate(
        last_result=Subquery(last.values("result")[:1]), last_again_on=Subquery(last.values("again_on")[:1])
    ).filter(due)
