"""A new practitioner: sign-in, role, enrolment and weekly hours in one step, or none of them."""

from collections.abc import Mapping
from datetime import date

from django.db import transaction

from appointments.timetable import working_hours
from appointments.timetable.working_hours import Shift
from clinic.errors import RuleBroken
from clinic.models import User
from locations import staffing
from locations.models import Location, Practitioner, StaffAssignment


@transaction.atomic
def join(
    *, full_name: str, email: str, credentials: str, starts_on: date, hours: Mapping[Location, list[Shift]], by: User
) -> Practitioner:
    """Invite and enrol, with hours at each clinic from that day on.

    Raises RuleBroken; what is wrong with the hours at a clinic is in `fields` under its slug.
    """
    person = staffing.invite(
        full_name=full_name, email=email, role=StaffAssignment.Role.CLINICIAN, locations=hours, by=by
    )
    practitioner = staffing.enrol(person, credentials=credentials, by=by)
    for place, shifts in hours.items():
        try:
            working_hours.set_week(practitioner, place, shifts, from_day=starts_on, by=by)
        except RuleBroken as refused:
            name = "starts_on" if "from_day" in refused.fields else place.slug
            raise RuleBroken(refused.message, code=refused.code, fields={name: refused.message}, status=400) from None
    return practitioner
