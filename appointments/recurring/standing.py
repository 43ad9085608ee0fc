"""How each visit of a series stands: done, on the calendar, owed, fallen off it, or let go. Reads, never writes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch

from appointments.models import Appointment, Series, SeriesVisit
from clinic import times

DONE, PLACED, MISSED, SKIPPED, OWED, WAIVED = "done", "placed", "missed", "skipped", "owed", "waived"
WORDS = {OWED: "not on the calendar", SKIPPED: "skipped", WAIVED: "no longer wanted"}
_GONE = {Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW}


@dataclass(frozen=True)
class Standing:
    """A visit of a series and the appointment that stands for it, or the latest that fell off the calendar, or None."""

    visit: SeriesVisit
    appointment: Appointment | None
    state: str

    @property
    def is_on_calendar(self) -> bool:
        return self.state in {DONE, PLACED}

    @property
    def is_owed(self) -> bool:
        return self.state in {MISSED, SKIPPED, OWED}

    @property
    def day(self) -> date:
        return self.appointment.local_start.date() if self.appointment else self.visit.wanted_on

    @property
    def when(self) -> str:
        """`Monday, January 4, 2027 at 9:00 AM EST`; empty where there is no appointment."""
        found = self.appointment
        return times.spoken(found.starts_at, found.location.time_zone) if found else ""

    @property
    def words(self) -> str:
        return WORDS.get(self.state) or self.appointment.get_status_display().lower()


def of(series: Series) -> list[Standing]:
    """In order of the series; two queries, whatever its length."""
    tries = Appointment.objects.select_related("location", "practitioner__user").order_by("starts_at", "pk")
    rows = series.visits.select_related("type").order_by("number").prefetch_related(Prefetch("appointments", tries))
    return [_stands(row, list(row.appointments.all())) for row in rows]


def panel(patient, user) -> dict | None:
    """The open series of a patient, for the patient's page."""
    found = Series.objects.visible_to(user).filter(patient=patient, is_open=True).with_names()
    shown = [{"series": series, **_briefly(of(series))} for series in found]
    return {"shown": shown} if shown else None


def _briefly(visits: list[Standing]) -> dict:
    return {
        "visits": len(visits),
        "on_calendar": sum(one.is_on_calendar for one in visits),
        "owed": [one for one in visits if one.is_owed],
    }


def counts(standings: Iterable[Standing]) -> Counter:
    return Counter(one.state for one in standings)


def _stands(visit: SeriesVisit, tries: list[Appointment]) -> Standing:
    standing = next((one for one in tries if one.status not in _GONE), None)
    if standing:
        return Standing(visit, standing, DONE if standing.status == Appointment.Status.COMPLETED else PLACED)
    last = tries[-1] if tries else None
    if visit.waived_reason:
        return Standing(visit, last, WAIVED)
    return Standing(visit, last, MISSED if last else SKIPPED if visit.skipped_reason else OWED)
