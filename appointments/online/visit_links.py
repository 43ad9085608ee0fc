"""What a patient may do with the link in a mail: see the visit, confirm it, ask for an earlier day, and, with the
birth date, cancel or move it.
"""

from datetime import date, timedelta

from django.db import transaction

from appointments import as_seen, booking, visit_status
from appointments.marks import Mark
from appointments.models import Appointment, WaitlistEntry
from appointments.online import times_to_move
from appointments.waiting import offers, waitlist
from appointments.waiting.waitlist import Asked
from appointments.wishes import PARTS, Wishes
from clinic import times, tokens
from clinic.errors import RuleBroken
from clinic.models import Link
from locations.models import Practitioner
from patients import birth_date

BEGUN = "has_begun"
EXPECTED = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
BY_THE_LINK = "By the link in a mail"


def find(token: str) -> tuple[Link, Appointment] | None:
    """The link and its visit. None alike for every link that is no good, and for a visit that is not expected."""
    link = tokens.find_link(token, purpose="visit")
    if link is None:
        return None
    visit = Appointment.objects.with_names().filter(pk=link.about_id, status__in=EXPECTED).first()
    return (link, visit) if visit else None


def cancelled_just_now(token: str, *, born_on: date) -> Appointment | None:
    """The visit that the first of two presses of Cancel cancelled, to who gives the birth date again."""
    link = tokens.find_used_link(token, purpose="visit")
    visits = Appointment.objects.with_names().filter(status=Appointment.Status.CANCELLED)
    visit = visits.filter(pk=link.about_id).first() if link and link.wrong_tries < birth_date.TRIES else None
    if visit and visit.patient.birth_date != born_on:
        tokens.note_wrong_try(link, most=birth_date.TRIES)
        return None
    return visit


def is_late(visit: Appointment) -> bool:
    """Whether so little time is left that a cancellation counts as late, by the type of the visit."""
    return times.now() > visit.starts_at - timedelta(hours=visit.type.late_cancel_hours)


def is_ahead(visit: Appointment) -> bool:
    """Once it has begun nothing is done by the link: whoever did not come has not cancelled."""
    return visit.status in EXPECTED and visit.starts_at > times.now()


def may_move(visit: Appointment) -> bool:
    """By the link, only as long as it is not late: after that somebody at the clinic has to hear of it."""
    return is_ahead(visit) and not is_late(visit)


def confirm(visit: Appointment, *, seen: int | None) -> Appointment:
    """Safe to repeat: a second click on Confirm is not an error to the patient.

    `seen` is the sequence of the visit on the page with the button. Where it is another one by now, or was not said,
    RuleBroken `changed_meanwhile`: nobody answers about a time that they were not shown.
    """
    with transaction.atomic():
        fresh = _as_shown(visit, seen)
        if fresh.status == Appointment.Status.CONFIRMED:
            return visit
        return visit_status.take("confirm", visit, by=None, by_whom="patient", expected_sequence=seen)


def cancel(link: Link, visit: Appointment, *, seen: int | None, born_on: date) -> Appointment:
    """Cancel and spend the link. That it was late is said in the history. `seen` as in `confirm`."""
    birth_date.check(link, visit.patient, born_on)
    if visit.sequence != seen:
        raise as_seen.is_now(visit)
    _check_ahead(visit)
    reason = "Cancelled by the link in a mail"
    if is_late(visit):
        reason += f", later than {visit.type.late_cancel_hours} hours before the visit"
    with transaction.atomic():
        if not tokens.use_link(link):
            raise RuleBroken("The link was used already.", code="link_dead", status=410)
        return visit_status.take("cancel", visit, by=None, by_whom="patient", reason=reason, expected_sequence=seen)


def move(link: Link, visit: Appointment, to: Mark, *, seen: int, born_on: date) -> Appointment:
    """Move the visit to a time that `times_to_move` offers; safe to repeat.

    `seen` is the sequence of the visit when the times were shown. Raises RuleBroken: `link_dead`, `wrong_birth_date`,
    `too_late`, `changed_meanwhile`, `slot_taken`, and whatever booking says of a time that was lost meanwhile.
    """
    birth_date.check(link, visit.patient, born_on)
    if visit.sequence == seen + 1 and _stands_at(visit, to):
        return visit  # the same button again
    if not may_move(visit):
        raise RuleBroken("It is too late to move this visit by the link.", code="too_late")
    if visit.sequence != seen:
        raise RuleBroken("The visit was changed meanwhile.", code=booking.CHANGED)
    if not times_to_move.is_free(visit, to):
        raise RuleBroken("The time is no longer free.", code="slot_taken")
    return booking.reschedule(
        visit,
        starts_at=to.starts_at,
        practitioner=Practitioner.objects.get(pk=to.practitioner),
        location=visit.location,
        by=None,
        by_whom="patient",
        reason=BY_THE_LINK,
        expected_sequence=seen,
    )


def _stands_at(visit, to):
    return (visit.starts_at, visit.practitioner_id) == (to.starts_at, to.practitioner)


def waits_for_sooner(visit: Appointment) -> WaitlistEntry | None:
    """The open entry by which the patient waits for an earlier day for this visit."""
    return WaitlistEntry.objects.waiting().filter(sooner_than=visit).first()


def wait_for_sooner(visit: Appointment, *, seen: int | None, parts: list[str], anybody: bool) -> WaitlistEntry:
    """Put the patient on the waitlist for an earlier day at this clinic; safe to repeat. `parts` as in `wishes`,
    `seen` as in `confirm`: earlier than which day is what the page said."""
    with transaction.atomic():
        _as_shown(visit, seen)
        if entry := waits_for_sooner(visit):
            return entry
        asked = Asked(
            type=visit.type,
            locations=[visit.location],
            practitioners=[] if anybody else [visit.practitioner],
            wishes=Wishes(windows=tuple(PARTS[name] for name in PARTS if name in parts)),
        )
        return waitlist.add(visit.patient, asked, by=None, by_whom="patient", sooner_than=visit)


def wait_no_longer(visit: Appointment, *, seen: int | None) -> None:
    """Off the list again; safe to repeat. The visit stays. `seen` as in `confirm`."""
    if visit.sequence != seen:
        raise as_seen.is_now(visit)
    if entry := waits_for_sooner(visit):
        offers.take_off(entry, by=None, by_whom="patient", reason=BY_THE_LINK)


def _as_shown(visit: Appointment, seen: int | None) -> Appointment:
    """The row as it is now, held until COMMIT, where it is as the page showed it."""
    fresh = Appointment.objects.select_for_update().get(pk=visit.pk)
    if fresh.sequence != seen:
        raise as_seen.is_now(fresh)
    _check_ahead(fresh)
    return fresh


def _check_ahead(visit: Appointment) -> None:
    if not is_ahead(visit):
        raise RuleBroken("The visit has begun.", code=BEGUN)
