"""Free times for the visits of a phase, from the one availability engine. Reads, never writes."""

from collections.abc import Collection
from datetime import date, time

from appointments import availability, calendars
from appointments.models import Appointment, AppointmentType
from careplans import placing
from careplans.models import NOT_FULFILLING, CarePlan
from clinic.errors import RuleBroken
from locations.models import Practitioner

VISIT_TYPE = "adjustment"
ALL_OF_THEM = 100_000  # more starts than a location has in a year


def visit_type() -> AppointmentType:
    found = AppointmentType.objects.filter(slug=VISIT_TYPE).first()
    if found is None:
        raise RuleBroken("There is no appointment type for treatment visits.", code="no_visit_type")
    return found


class Search:
    """All free starts between two days, read once: the visits of a plan never share a day, so none disturbs another."""

    def __init__(self, plan: CarePlan, type: AppointmentType, first: date, last: date):
        self.plan, self.type, self.first, self.last = plan, type, first, last
        working = Practitioner.objects.filter(is_active=True, weekly_hours__location=plan.location)
        self.practitioners = list(working.select_related("user").distinct())
        self.taken: set[date] = set()
        self._starts = {}

    def lock(self) -> None:
        """Hold every calendar that a visit may go to; what is read afterwards stays true until COMMIT."""
        rooms = calendars.rooms_by_location([self.plan.location_id], self.type.room_kind)[self.plan.location_id]
        calendars.lock(practitioners=self.practitioners, rooms=rooms, patients=[self.plan.patient])
        visits = Appointment.objects.filter(planned_visit__phase__plan=self.plan).exclude(status__in=NOT_FULFILLING)
        self.taken = {visit.local_start.date() for visit in visits.select_related("location")}

    def nearest(self, window: placing.Window, at_time: time, *, reserved: Collection[date]) -> availability.Slot | None:
        """The plan's practitioner within the window, else anybody; never a day taken, or wanted by another visit."""
        taken = self.taken | (set(reserved) - {window.wanted_on})
        for usual_only in (True, False):
            if found := placing.nearest(self._free(usual_only), window, at_time, taken=taken):
                self.taken.add(found.local_start.date())
                return found
        return None

    def _free(self, usual_only: bool) -> list[availability.Slot]:
        if usual_only not in self._starts:
            people = [p for p in self.practitioners if p.pk == self.plan.practitioner_id or not usual_only]
            found = availability.find(
                type=self.type,
                locations=[self.plan.location],
                practitioners=people,
                patient=self.plan.patient,
                from_day=self.first,
                to_day=self.last,
                limit=ALL_OF_THEM,
            )
            self._starts[usual_only] = found.slots
        return self._starts[usual_only]
