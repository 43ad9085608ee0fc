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

DAYS = {"from_day": "starts_on", "until": "until"}  # what the rule of hours says of a day, by the fields here


@transaction.atomic
def join(
    *,
    full_name: str,
    email: str,
    credentials: str,
    starts_on: date,
    until: date | None = None,
    hours: Mapping[Location, list[Shift]],
    by: User,
) -> Practitioner:
    """Invite and enrol, with hours at each clinic from that day on; with `until` as far as that one, as a locum.

    Raises RuleBroken; what is wrong with the hours at a clinic is in `fields` under its slug.
    """
    person = staffing.invite(
        full_name=full_name, email=email, role=StaffAssignment.Role.CLINICIAN, locations=hours, by=by
    )
    practitioner = staffing.enrol(person, credentials=credentials, by=by)
    for place, shifts in hours.items():
        try:
            working_hours.set_week(practitioner, place, shifts, from_day=starts_on, until=until, by=by)
        except RuleBroken as refused:
            name = next((field for given, field in DAYS.items() if given in refused.fields), place.slug)
            raise RuleBroken(refused.message, code=refused.code, fields={name: refused.message}, status=400) from None
    return practitioner
