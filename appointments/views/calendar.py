"""The calendar: columns that a script draws and keeps up to date, and the same days as a plain list."""

import json
from datetime import time, timedelta
from hashlib import blake2b
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET

from appointments import booking, calendar_page, visit_status
from appointments.forms import ChooseCalendar
from appointments.models import Appointment
from clinic.policy import requires
from locations import access, spans
from locations.current import shown

WEEK = 7
# What the script needs to know of the rules: which visits move, and the steps from each status.
RULES = {
    "movable": sorted(booking.MOVABLE),
    "statuses": dict(Appointment.Status.choices),
    "steps": {
        status: [
            {"name": step.name, "label": step.label, "on_the_day": step.name in visit_status.ON_THE_DAY}
            for step in visit_status.STEPS.values()
            if status in step.leads_from and step.name != "cancel"
        ]
        for status in Appointment.Status.values
    },
}


@require_GET
@requires("appointment.read")
def calendar(request):
    locations = shown(request)
    if not locations:
        return render(request, "appointments/calendar.html", {"locations": []})
    chosen = _chosen(request, locations)
    asked = _asked(chosen, locations)
    found = calendar_page.read(asked, request.user)
    is_list = chosen["view"] == "list"
    names = {pk: name for people in found.people.values() for pk, name in people.items()}
    context = {
        "locations": locations,
        "asked": asked,
        "chosen": chosen,
        "is_today": asked.first <= locations[0].today() <= asked.last,
        "links": _links(request, chosen, asked),
        "kept": [(name, value) for name, value in _address(request, chosen) if name not in {"day", "practitioner"}],
        "here": request.get_full_path(),
        "people": sorted(names.items(), key=lambda entry: entry[1]),
        "closures": [
            (place, day, found.closed[place.pk, day])
            for place in locations
            for day in asked.each_day()
            if (place.pk, day) in found.closed
        ],
        "days": _listed(found) if is_list else [],
        "data": None if is_list else calendar_page.as_json(found, request.user) | RULES,
        "may_book": access.can(request.user, "appointment.create"),
        "keys_template": "" if is_list else "appointments/_calendar_keys.html",
    }
    return render(request, "appointments/calendar.html", context)


@require_GET
@requires("appointment.read")
def calendar_events(request):
    """What the columns show, for the script that asks every few seconds: 304 as long as nothing has changed."""
    locations = shown(request)
    if not locations:
        raise BadRequest("No location is chosen.")
    found = calendar_page.read(_asked(_chosen(request, locations), locations), request.user)
    body = json.dumps(calendar_page.as_json(found, request.user) | RULES, separators=(",", ":")).encode()
    etag = quote_etag(blake2b(body, digest_size=12).hexdigest())
    answer = HttpResponse(body, content_type="application/json", headers={"ETag": etag, "Cache-Control": "no-cache"})
    return get_conditional_response(request, etag=etag, response=answer)


def _chosen(request, locations):
    form = ChooseCalendar(request.GET)
    if not form.is_valid():
        raise BadRequest("Choose a day like 2027-01-04, a view (day, week, list), and columns by practitioner or room.")
    return form.cleaned_data | {"day": form.cleaned_data["day"] or locations[0].today()}


def _asked(chosen, locations):
    first, days = chosen["day"], 1
    if chosen["view"] == "week" or chosen["days"] == WEEK:
        first, days = first - timedelta(days=first.weekday()), WEEK
    by = calendar_page.PRACTITIONER if chosen["view"] == "list" else chosen["by"]
    return calendar_page.Asked(locations, first, days, by, chosen["practitioner"])


def _address(request, chosen, **changes):
    """The parameters of this calendar with some changed; None leaves one out."""
    asked = {
        "view": chosen["view"] if chosen["view"] != "day" else None,
        "days": chosen["days"] if chosen["days"] == WEEK else None,
        "by": chosen["by"] if chosen["by"] != calendar_page.PRACTITIONER else None,
        "practitioner": chosen["practitioner"],
        "day": request.GET.get("day") and chosen["day"].isoformat(),
        **changes,
    }
    named = [("location", slug) for slug in request.GET.getlist("location")]
    return [*((name, value) for name, value in asked.items() if value), *named]


def _links(request, chosen, asked):
    def link(**changes):
        return f"?{urlencode(_address(request, chosen, **changes))}"

    is_week = WEEK if asked.days == WEEK else None
    return {
        "before": link(day=(asked.first - timedelta(days=asked.days)).isoformat()),
        "after": link(day=(asked.first + timedelta(days=asked.days)).isoformat()),
        "today": link(day=None),
        "day": link(view=None, days=None),
        "week": link(view="week", days=None),
        "list": link(view="list", days=is_week),
        "one_day": link(days=None),
        "seven_days": link(days=WEEK),
        "practitioners": link(by=None),
        "rooms": link(by=calendar_page.ROOM, practitioner=None),
    }


def _listed(found):
    """[{location, day, zone, rows, visits}] for the list: every visit, cancelled ones too, times held, and what is left
    of those that began the day before; `visits` is how many begin on the day."""
    listed = []
    for n, day in enumerate(found.asked.each_day()):
        for place in found.asked.locations:
            rows = [_row(one, found) for one in found.taken if one["location"] == place.pk and one["day"] == day]
            visits = sum(1 for row in rows if not row["held"] and not row["carried"])
            at_work = [c.title for c in found.columns if c.location is place and c.day == day and c.working]
            clock = found.clocks[place.pk]
            changes = clock.changes(n)
            zone = f"{clock.noon(n):%Z}"
            listed.append({"location": place, "day": day, "zone": zone, "changes": changes, "rows": rows,
                           "visits": visits, "at_work": at_work})  # fmt: skip
    return listed


def _since(carried):
    """`Monday 11:30 PM`"""
    began = time(*divmod(carried["from"], 60))
    return f"{carried['day']:%A} {spans.spoken(began)}"


def _row(visit, found):
    starts, ends = visit["from"], visit.get("until", visit["from"] + visit["minutes"])
    return visit | {
        "starts": time(starts // 60 % 24, starts % 60),
        "past_midnight": starts + visit["minutes"] > calendar_page.DAY,
        "since": _since(visit["carried"]) if visit["carried"] else "",
        "ends": time(ends // 60 % 24, ends % 60),
        "type": visit["type"][1],
        "label": RULES["statuses"][visit["status"]],
        "held": found.held(visit) if visit["held_until"] else "",
    }
