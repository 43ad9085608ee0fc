"""Whose absences go by the clock of one clinic: an absence is two instants, typed by a clock on somebody's wall.

Of those who work at one clinic only it is that clinic's. Of those who work at several nobody can tell which was meant.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from appointments.models import Appointment, ExtraHours, TimeOff, WeeklyHours
from clinic import times
from locations import access
from locations.models import Location, StaffAssignment


@dataclass(frozen=True)
class Absences:
    """Not over, of people who work at the clinic; `shared` are those of who works elsewhere too, and where."""

    own: list[TimeOff] = field(default_factory=list)
    shared: list[tuple[TimeOff, list[Location]]] = field(default_factory=list)


def at(location: Location) -> Absences:
    """By whether these people work at this clinic alone; six queries, however many they are."""
    found = Absences()
    works_at = _works_at()
    open_now = {place.pk: place for place in Location.objects.filter(is_open=True)}
    rows = TimeOff.objects.filter(ends_at__gt=times.now())
    for away in rows.select_related("practitioner__user").order_by("starts_at", "pk"):
        places = works_at[away.practitioner_id]
        if location.pk not in places:
            continue
        elsewhere = [place for pk, place in open_now.items() if pk in places and pk != location.pk]
        if elsewhere:
            found.shared.append((away, elsewhere))
        else:
            found.own.append(away)
    return found


def _works_at() -> dict[int, set[int]]:
    """Ids of clinics by that of the practitioner: by hours that are not over and visits ahead, else as a clinician."""
    today = times.earliest_today()
    ahead = Appointment.objects.filter(starts_at__gt=times.now()).holding_time()
    working = (WeeklyHours.objects.exclude(valid_until__lt=today), ExtraHours.objects.filter(day__gte=today), ahead)
    found = defaultdict(set)
    for rows in working:
        for who, where in rows.order_by().values_list("practitioner", "location").distinct():
            found[who].add(where)
    assigned = StaffAssignment.objects.filter(role=access.CLINICIAN, location__isnull=False)
    with_hours = set(found)
    for who, where in assigned.filter(user__practitioner__isnull=False).values_list("user__practitioner", "location"):
        if who not in with_hours:
            found[who].add(where)
    return found
