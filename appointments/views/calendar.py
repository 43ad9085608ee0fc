from django.core.exceptions import BadRequest
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from appointments import calendar_day
from appointments.forms import ChooseDay, working_at
from clinic.policy import requires
from locations import access
from locations.current import current


def _chosen_day(request, location):
    form = ChooseDay(request.GET)
    if not form.is_valid():
        raise BadRequest("day must be a date like 2027-01-04.")
    return form.cleaned_data["day"] or location.today()


@require_GET
@requires("appointment.read")
def calendar(request):
    location = current(request)
    if location is None:
        return render(request, "appointments/calendar.html", {"location": None})
    shown = calendar_day.read(location, _chosen_day(request, location), request.user)
    context = {
        "location": location,
        "shown": shown,
        "is_today": shown.day == location.today(),
        "zone": f"{shown.noon:%Z}",
        "practitioners": working_at([location]),
        "may_book": access.can(request.user, "appointment.create", location),
        "may_move": access.can(request.user, "appointment.change", location),
    }
    return render(request, "appointments/calendar.html", context)


@require_GET
@requires("appointment.read")
def calendar_events(request):
    location = current(request)
    if location is None:
        raise BadRequest("No location is chosen.")
    shown = calendar_day.read(location, _chosen_day(request, location), request.user)
    return JsonResponse(calendar_day.as_json(shown, request.user))
