"""What somebody decided by: a visit as they saw it, and the refusal where another one's change would be lost."""

from dataclasses import dataclass
from datetime import datetime

from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken

MOVABLE = {Appointment.Status.BOOKED, Appointment.Status.CONFIRMED}
CHANGED = "changed_meanwhile"


@dataclass(frozen=True)
class Seen:
    """A visit as somebody saw it who moves it, and what of it their move takes to be the same still."""

    visit: Appointment
    start: datetime | None
    sequence: int | None
    practitioner: bool
    location: bool

    def check(self, fresh: Appointment) -> None:
        """Raises RuleBroken where another one's change would be lost."""
        if (
            self.start not in (None, fresh.starts_at)
            or self.sequence not in (None, fresh.sequence)
            or (self.practitioner and fresh.practitioner_id != self.visit.practitioner_id)
            or (self.location and fresh.location_id != self.visit.location_id)
        ):
            raise is_now(fresh)


def is_now(fresh: Appointment) -> RuleBroken:
    now = Appointment.objects.with_names().get(pk=fresh.pk)
    status = "" if fresh.status in MOVABLE else f", {fresh.get_status_display().lower()}"
    when = times.spoken(now.starts_at, now.location.time_zone)
    where = f"{when}, {now.lasts} minutes, {now.practitioner}, {now.location}{status}"
    return RuleBroken(f"Somebody changed the visit meanwhile. It is now: {where}. Look again.", code=CHANGED)
