"""The board of a day at one or several locations: who is due, waiting, in a room, done or not coming. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b

from django.db.models import F, OuterRef, Subquery

from appointments import booking, visit_status
from appointments.models import Appointment, AppointmentEvent
from careplans.planning import VISIT_TYPE
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
SINCE = {_S.ARRIVED: "arrived", _S.IN_ROOM: "started"}
FLAGS_SHOWN = 10
URGENT = ("emergency", "urgent")


@dataclass(frozen=True)
class Card:
    """A visit on the board; `since` is when it came to wait or into the room, `late` minutes past its start.

    `undo` is the step that a click just took and another takes back. What a browser's clock counts on is not in the
    repr, because that is what tells whether the board changed.
    """

    pk: int
    status: str
    label: str
    seen: int  # the sequence of the visit, by which a step on a stale board is told
    starts: datetime  # on the clock of the location
    patient: str
    patient_id: int
    type: str
    practitioner: str
    room: str
    since: datetime | None
    minutes: int = field(repr=False)
    late: int = field(repr=False)
    is_late: bool
    forward: visit_status.Step | None
    others: list[visit_status.Step]
    undo: AppointmentEvent | None
    has_note: bool  # whether this person may write its note


@dataclass
class Column:
    code: str
    label: str
    icon: str
    empty: str
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True)
class Board:
    """One location's day; `clock` is the time there now, `next_day` the next with visits where this one has none."""

    location: Location
    day: date
    is_today: bool
    clock: datetime = field(repr=False)
    columns: list[Column]
    gone: list[Card]
    next_day: date | None

    @property
    def total(self) -> int:
        return sum(len(column.cards) for column in self.columns) + len(self.gone)

    @property
    def offset(self) -> int:
        """Minutes from UTC, for the clock that runs in the browser."""
        return int(self.clock.utcoffset().total_seconds() // 60)


def read(locations: Iterable[Location], user, day: date | None = None) -> list[Board]:
    """A board for each location, of that day or of today there: two queries, however many locations and visits; one
    more where a day is empty.
    """
    days = {place: day or place.today() for place in locations}
    visits = _visits(days, user)
    steps = _steps(visits)
    now = times.now()
    cards = defaultdict(list)
    places = {place.pk: place for place in days}
    for visit in visits:
        place = places[visit.location_id]
        if times.day_of(visit.starts_at, place.time_zone) == days[place]:
            cards[place].append(_card(visit, steps[visit.pk], place, days[place], user, now))
    ahead = _next_days({place: on for place, on in days.items() if not cards[place]}, user)
    return [_board(place, on, cards[place], ahead.get(place.pk), now) for place, on in days.items()]


def version(boards: list[Board], *more) -> str:
    """The same as long as nothing on the boards has changed but the minutes that pass."""
    return blake2b(repr((boards, [board.offset for board in boards], *more)).encode(), digest_size=12).hexdigest()


def _visits(days: dict, user) -> list:
    edges = [times.day_bounds(on, place.time_zone) for place, on in days.items()]
    found = Appointment.objects.visible_to(user).filter(
        location__in=days,
        starts_at__gte=min((first for first, _ in edges), default=times.EARLIEST),
        starts_at__lt=max((last for _, last in edges), default=times.EARLIEST),
    )
    return list(
        found.order_by("starts_at", "pk").values_list(
            "pk", "status", "sequence", "starts_at", "location_id",
            "patient_id", "patient__given_name", "patient__family_name", "type__slug", "type__name",
            "room__name", "practitioner__user__full_name", "practitioner__credentials", named=True,
        )
    )  # fmt: skip


def _steps(visits) -> dict[int, list]:
    """The steps of each visit that still stand, in order."""
    history = defaultdict(list)
    rows = AppointmentEvent.objects.filter(appointment__in=[visit.pk for visit in visits]).order_by("at", "pk")
    rows = rows.annotate(undid=F("detail__undid"))
    for row in rows.values_list("appointment_id", "pk", "step", "at", "by_id", "undid", named=True):
        history[row.appointment_id].append(row)
    return defaultdict(list, {pk: booking.standing(steps) for pk, steps in history.items()})


def _next_days(empty: dict, user) -> dict[int, date]:
    """The next day with visits, by location."""
    if not empty:
        return {}
    # The earliest end will do for all: where a day ends later, nothing stands in what is left of it.
    end = min(times.day_bounds(on, place.time_zone)[1] for place, on in empty.items())
    visits = Appointment.objects.visible_to(user).filter(location=OuterRef("pk"), starts_at__gte=end)
    first = visits.exclude(status__in=GONE).order_by("starts_at").values("starts_at")[:1]
    found = Location.objects.filter(pk__in=[place.pk for place in empty]).annotate(ahead=Subquery(first))
    return {place.pk: times.day_of(place.ahead, place.time_zone) for place in found if place.ahead}


def _board(place, day, cards, next_day, now) -> Board:
    columns = []
    for code, label, icon, statuses, empty in COLUMNS:
        columns.append(Column(code, label, icon, empty, [card for card in cards if card.status in statuses]))
    columns[1].cards.sort(key=lambda card: card.since or card.starts)  # the longest waiting first
    gone = [card for card in cards if card.status in GONE]
    return Board(place, day, day == place.today(), times.local(now, place.time_zone), columns, gone, next_day)


def _card(visit, steps, place, day, user, now) -> Card:
    may_change = access.can(user, "appointment.change", place)
    since = next((s.at for s in reversed(steps) if s.step == SINCE.get(visit.status)), None)
    late = _minutes(visit.starts_at, now) if visit.status in COLUMNS[0][3] else 0
    offered = _offered(visit, place.time_zone) if may_change else {}
    forward = next((offered.pop(name) for name in FORWARD if name in offered), None)
    last = steps[-1] if steps else None
    return Card(
        pk=visit.pk,
        status=visit.status,
        label=_S(visit.status).label,
        seen=visit.sequence,
        starts=times.local(visit.starts_at, place.time_zone),
        patient=f"{visit.patient__given_name} {visit.patient__family_name}".strip(),
        patient_id=visit.patient_id,
        type=visit.type__name,
        practitioner=f"{visit.practitioner__user__full_name}, {visit.practitioner__credentials}",
        room=visit.room__name,
        since=since,
        minutes=_minutes(since, now),
        late=late,
        is_late=late > 0,
        forward=forward,
        others=list(offered.values()),
        undo=last if may_change and last and visit_status.is_slip(last.step, last.at, last.by_id) else None,
        has_note=_has_note(visit, place, user),
    )


def _has_note(visit, place, user):
    is_here = visit.status in {_S.ARRIVED, _S.IN_ROOM, _S.COMPLETED}
    return is_here and visit.type__slug == VISIT_TYPE and access.can(user, "evaluation.write", place)


def _offered(visit, zone_name: str) -> dict[str, visit_status.Step]:
    """By name; a cancellation asks for a reason, so it is on the visit's own page."""
    steps = visit_status.open_steps(visit.status, visit.starts_at, zone_name)
    return {step.name: step for step in steps if step.name != "cancel"}


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
