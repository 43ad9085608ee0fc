"""Evaluations and visit notes that nobody has signed yet, and visits whose note nobody has begun: one's own, and for
managers those of their clinics. Reads only.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import Min, Q, QuerySet
from django.urls import reverse

from appointments.models import Appointment
from careplans.planning import VISIT_TYPE
from clinic import times
from clinic.models import User
from evaluations.models import Evaluation, VisitNote
from evaluations.notes import visit_notes
from locations import access

SIGN_WITHIN = timedelta(days=1)  # reference 4.8
NOT_BEGUN_WITHIN = timedelta(days=7)
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """`record` is the evaluation, the note, or the visit that has none; `age` in words.

    `may_open` where the record itself is open to the reader, who else sees only that it waits.
    """

    record: Evaluation | VisitNote | Appointment
    what: str
    since: object
    age: str
    is_late: bool
    by: str
    is_mine: bool
    may_open: bool

    @property
    def go_on_url(self) -> str:
        return self._url({Evaluation: "evaluation", VisitNote: "visit-note"})

    @property
    def sign_url(self) -> str:
        return self._url({Evaluation: "evaluation-sign", VisitNote: "visit-note-sign"})

    def _url(self, names) -> str:
        name = names.get(type(self.record))
        return reverse(name, args=[self.record.pk]) if name else ""


def waiting(user: User) -> QuerySet:
    """Evaluations that wait for a signature, the oldest first."""
    mine = Q(started_by=user) & Q(pk__in=Evaluation.objects.visible_to(user, "evaluation.write").values("pk"))
    return Evaluation.objects.filter(mine | _managed(user), signed_at=None).order_by("started_at", "pk")


def waiting_notes(user: User) -> QuerySet:
    """Visit notes that wait for a signature, the oldest visit first."""
    wrote = Q(started_by=user) | Q(appointment__practitioner__user=user)
    mine = wrote & Q(pk__in=VisitNote.objects.visible_to(user, "evaluation.write").values("pk"))
    notes = VisitNote.objects.filter(mine | _managed(user), signed_at=None)
    # The note of a visit that did not take place cannot be signed.
    return notes.exclude(appointment__status__in=visit_notes.NEVER_TOOK_PLACE).order_by("appointment__starts_at", "pk")


def not_begun(user: User) -> QuerySet:
    """Visits for treatment that are done and have no note, since their clinic keeps its notes here."""
    places = access.location_ids(user, "evaluation.write")
    here = Q(location__isnull=False) if places is None else Q(location__in=places)
    mine = Q(practitioner__user=user) & here
    return (
        Appointment.objects.filter(
            mine | _managed(user),
            type__slug=VISIT_TYPE,
            status=Appointment.Status.COMPLETED,
            visit_note=None,
        )
        .filter(_since_notes_are_kept())
        .order_by("starts_at", "pk")
    )


def _since_notes_are_kept() -> Q:
    """From the first visit with a note at each clinic on; before, and where there is none, they are on paper."""
    first = VisitNote.objects.order_by().values_list("location").annotate(Min("appointment__starts_at"))
    since = Q(starts_at__gt=times.now() - NOT_BEGUN_WITHIN)
    return reduce(or_, (Q(location=place, starts_at__gte=at) for place, at in first), since)


def _managed(user):
    places = access.location_ids(user, "evaluation.unsigned", own=False)
    return Q(location__isnull=False) if places is None else Q(location__in=places)


def count(user: User) -> int:
    return sum(rows.count() for rows in (waiting(user), waiting_notes(user), not_begun(user)))


def lines(user: User) -> list[Line]:
    """The oldest first; six queries, however many wait."""
    found = [*_evaluations(user), *_notes(user), *_visits(user)]
    return sorted(found, key=lambda line: line.since)[:SHOWN]


def _evaluations(user):
    rows = list(waiting(user).select_related("patient", "location", "started_by")[:SHOWN])
    open_ = _open(Evaluation, rows, user)
    for row in rows:
        stopped = f", {row.get_status_display().lower()}" if row.status != Evaluation.Status.IN_PROGRESS else ""
        what = f"{row.get_kind_display()}{stopped}"
        yield _line(row, what, row.started_at, row.started_by, user, may_open=row.pk in open_)


def _notes(user):
    related = "patient", "location", "started_by", "appointment__practitioner__user"
    rows = list(waiting_notes(user).select_related(*related)[:SHOWN])
    open_ = _open(VisitNote, rows, user)
    for row in rows:
        by = row.appointment.practitioner.user if row.started_by_id != user.pk else row.started_by
        yield _line(row, "Visit note", row.appointment.starts_at, by, user, may_open=row.pk in open_)


def _visits(user):
    for row in not_begun(user).select_related("patient", "location", "practitioner__user")[:SHOWN]:
        by = row.practitioner.user
        yield _line(row, "Visit without a note", row.starts_at, by, user, may_open=by.pk == user.pk)


def _open(model, rows, user):
    ids = [row.pk for row in rows]
    return set(model.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))


def _line(row, what, since, by, user, *, may_open):
    age = times.now() - since
    return Line(
        row,
        what,
        times.local(since, row.location.time_zone),
        age_in_words(age),
        age > SIGN_WITHIN,
        str(by),
        by.pk == user.pk,
        may_open,
    )


def age_in_words(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    count, unit = (hours // 24, "day") if hours >= 24 else (hours, "hour")
    return f"{count} {unit}{'' if count == 1 else 's'}" if count else "under an hour"
