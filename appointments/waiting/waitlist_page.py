"""The waitlist as the desk sees it: who waits, in the order in which they are asked, and why. Reads, never writes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from appointments.models import Offer, WaitlistEntry
from appointments.waiting import offers, waitlist
from clinic import times
from clinic.models import User
from locations import access
from locations.models import Location
from patients.models import Consent

WAITING, OFFERED, CLOSED = "waiting", "offered", "closed"
STATES = {WAITING: "Waiting", OFFERED: "With an offer", CLOSED: "Off the list"}


@dataclass(frozen=True)
class OfferLine:
    """An offer, and what became of it."""

    offer: Offer
    is_standing: bool
    minutes_left: int
    what: str
    may_answer: bool

    @property
    def when(self) -> str:
        return times.spoken(self.offer.starts_at, self.offer.location.time_zone)

    @property
    def until(self) -> datetime:
        return self.offer.local_expiry


@dataclass(frozen=True)
class Row:
    """Somebody on the list: `why` it is their turn, and what was offered to them, the latest first."""

    entry: WaitlistEntry
    why: str
    offers: list[OfferLine]
    is_reachable: bool

    @property
    def offer(self) -> OfferLine | None:
        return next((line for line in self.offers if line.is_standing), None)

    @property
    def last(self) -> OfferLine | None:
        return next((line for line in self.offers if not line.is_standing), None)

    @property
    def wishes(self) -> str:
        return str(self.entry.as_wishes) or "any day and time"

    @property
    def places(self) -> str:
        named = sorted(place.name for place in self.entry.locations.all())
        return " or ".join(named) or "any clinic of theirs"

    @property
    def people(self) -> str:
        return " or ".join(sorted(person.name for person in self.entry.practitioners.all())) or "anybody"

    @property
    def added_on(self) -> datetime:
        return times.local(self.entry.added_at, self.entry.patient.home_location.time_zone)

    @property
    def closed_on(self) -> datetime | None:
        closed = self.entry.closed_at
        return closed and times.local(closed, self.entry.patient.home_location.time_zone)


def entries(
    user: User, *, state: str, locations: Iterable[Location] | None = None, type=None, urgency: int | None = None
) -> QuerySet[WaitlistEntry]:
    """Those the user may see: who waits, in the order in which a free time is offered, or who waits no more."""
    found = _read(WaitlistEntry.objects.visible_to(user))
    if locations is not None:
        found = found.wanting(locations)
    if type is not None:
        found = found.filter(type=type)
    if urgency is not None:
        found = found.filter(urgency=urgency)
    if state == CLOSED:
        return found.exclude(outcome="").order_by("-closed_at", "-pk")
    found = found.waiting().ranked()
    if state == OFFERED:
        return found.filter(Exists(Offer.objects.filter(entry=OuterRef("pk"), answer="", expires_at__gt=times.now())))
    return found


def counts(user: User, **asked) -> dict[str, int]:
    return {state: entries(user, state=state, **asked).count() for state in STATES}


def rows(found: Iterable[WaitlistEntry], user: User) -> list[Row]:
    """Of `entries`. The same queries for one and for many; of the offers, those at locations the user may see."""
    return [_row(entry, user) for entry in found]


def row(pk: int, user: User) -> Row:
    return _row(_read(WaitlistEntry.objects.all()).get(pk=pk), user)


def _read(found: QuerySet[WaitlistEntry]) -> QuerySet[WaitlistEntry]:
    agreed = Consent.objects.filter(scope=Consent.Scope.EMAIL_REMINDERS, withdrawn_at=None)
    consents = Prefetch("patient__consents", agreed, to_attr="agreed")
    return found.with_wishes().select_related("visit__location").prefetch_related(consents)


def panel(patient, user: User) -> dict | None:
    """What a patient waits for, for the patient's page."""
    found = rows(entries(user, state=WAITING).filter(patient=patient), user)
    return {"waits": found} if found else None


def _lines(entry, user) -> list[OfferLine]:
    """What was offered at the user's locations."""
    places = access.location_ids(user, "appointment.read")
    seen = (one for one in entry.offers.all() if places is None or one.location_id in places)
    return [_line(one, user) for one in sorted(seen, key=lambda one: (one.offered_at, one.pk), reverse=True)]


def _row(entry, user) -> Row:
    reachable = bool(entry.patient.email and entry.patient.agreed)
    return Row(entry, waitlist.reasons(entry), _lines(entry, user), reachable)


def _line(offer: Offer, user: User) -> OfferLine:
    stands = offers.is_standing(offer)
    left = (offer.expires_at - times.now()).total_seconds() / 60
    what = "waiting for the answer" if stands else offers.outcome(offer).label
    return OfferLine(
        offer, stands, max(0, int(left)), what, stands and access.can(user, "appointment.create", offer.location)
    )
