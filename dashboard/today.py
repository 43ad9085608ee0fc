"""The board of a day at a location: who is due, waiting, in a room, done or not coming. Reads only."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import OuterRef, Subquery

from appointments import visit_status
from appointments.models import Appointment, AppointmentEvent
from clinic import times
from evaluations.catalogue import RED_FLAGS
from evaluations.models import RedFlagEvent
from locations import access
from locations.models import Location
from patients.models import Patient

_S = Appointment.Status
COLUMNS = (
    ("due", "Due", "clock", {_S.BOOKED, _S.CONFIRMED}, "Nobody else is expected."),
    ("arrived", "Waiting", "arrived", {_S.ARRIVED}, "Nobody is waiting."),
    ("in_room", "In a room", "room", {_S.IN_ROOM}, "All rooms are free."),
    ("done", "Done", "check", {_S.COMPLETED}, "No visit is done yet."),
)
GONE = {_S.CANCELLED, _S.NO_SHOW}
FORWARD = ("arrive", "start", "complete")
FLAGS_SHOWN = 10
URGENT = ("emergency", "urgent")


@dataclass(frozen=True)
class Card:
    """A visit on the board; `since` is when it came to wait or into the room, `late` minutes past its start."""

    visit: Appointment
    since: datetime | None
    minutes: int
    late: int
    forward: visit_status.Step | None
    others: list[visit_status.Step]


@dataclass
class Column:
    code: str
    label: str
    icon: str
    empty: str
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True)
class Board:
    day: date
    columns: list[Column]
    gone: list[Card]

    @property
    def total(self) -> int:
        return sum(len(column.cards) for column in self.columns) + len(self.gone)


def _last(step):
    events = AppointmentEvent.objects.filter(appointment=OuterRef("pk"), step=step)
    return Subquery(events.order_by("-at", "-pk").values("at")[:1])


def read(location: Location, day: date, user) -> Board:
    """One query for the visits, however many there are."""
    visits = (
        Appointment.objects.visible_to(user).at(location).on(day, location.time_zone).with_names()
        .annotate(arrived_at=_last("arrived"), started_at=_last("started"))
    )  # fmt: skip
    may_change = access.can(user, "appointment.change", location)
    now = times.now()
    cards = [_card(visit, now, may_change) for visit in visits]
    columns = []
    for code, label, icon, statuses, empty in COLUMNS:
        columns.append(Column(code, label, icon, empty, [card for card in cards if card.visit.status in statuses]))
    columns[1].cards.sort(key=lambda card: card.since or card.visit.starts_at)  # the longest waiting first
    return Board(day, columns, [card for card in cards if card.visit.status in GONE])


def _card(visit, now, may_change) -> Card:
    since = {_S.ARRIVED: visit.arrived_at, _S.IN_ROOM: visit.started_at}.get(visit.status)
    is_due = visit.status in COLUMNS[0][3]
    steps = {step.name: step for step in visit_status.allowed(visit)} if may_change else {}
    steps.pop("cancel", None)  # asks for a reason, so it is on the visit's own page
    forward = next((steps.pop(name) for name in FORWARD if name in steps), None)
    return Card(
        visit=visit,
        since=since,
        minutes=_minutes(since, now),
        late=_minutes(visit.starts_at, now) if is_due else 0,
        forward=forward,
        others=list(steps.values()),
    )


def _minutes(since, now) -> int:
    return max(0, int((now - since).total_seconds() // 60)) if since else 0


def open_flags(user) -> list[dict]:
    """Open emergency and urgent safety questions about patients whose clinical record the user may read."""
    if not access.can(user, "evaluation.read"):
        return []
    found = (
        RedFlagEvent.objects.filter(resolved_at=None, tier__in=URGENT)
        .filter(patient__in=Patient.objects.visible_to(user, "evaluation.read"))
        .select_related("patient__home_location")
        .order_by("tier", "opened_at")[:FLAGS_SHOWN]
    )
    return [
        {
            "event": event,
            "label": RED_FLAGS[event.code].label if event.code in RED_FLAGS else event.code,
            "opened": times.local(event.opened_at, event.patient.home_location.time_zone),
        }
        for event in found
    ]
