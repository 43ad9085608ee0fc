"""The floors of what goes over HTTP: the least views that answer the same. Served by `benchmarks.serving`.

Nobody signs in for `/soonest`. `/day` and `/book` are behind the sign-in of Atlas, because its rows are somebody's; of
its rules they have none.
"""

import json
import os
from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import transaction  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from appointments.models import Appointment, AppointmentEvent, AppointmentType  # noqa: E402
from benchmarks import floor  # noqa: E402
from benchmarks.scratch import Database  # noqa: E402
from clinic import times  # noqa: E402
from clinic.models import AuditEntry  # noqa: E402
from clinic.policy import requires  # noqa: E402
from locations.models import Location  # noqa: E402
from patients.models import Patient  # noqa: E402

_raw = []


def _raw_connection():
    if not _raw:
        _raw.append(Database(os.environ["DATABASE_URL"]).raw())
    return _raw[0]


def soonest(given: dict, body: bytes):
    raw = _raw_connection()
    places = [row[0] for row in floor.rows(raw, "SELECT id FROM locations_location WHERE is_open")]
    found = floor.soonest(
        raw,
        slug=given["type"][0],
        locations=places,
        begin=date.fromisoformat(given["from"][0]),
        days=int(given["days"][0]),
        limit=int(given["limit"][0]),
        now=times.to_minute(times.now()),
    )
    return 200, found


BARE = {"/soonest": soonest, "/healthz": lambda given, body: (200, "ok")}


@requires("appointment.read")
def day(request):
    """The visits of a day at some locations, with `values()`, and nothing else of a calendar."""
    first, last = (times.from_minute(int(request.GET[name])) for name in ("from", "to"))
    rows = Appointment.objects.visible_to(request.user).filter(
        location__slug__in=request.GET.getlist("location"), starts_at__gte=first, starts_at__lt=last
    )
    rows = rows.order_by("start_minute", "pk").values(
        "id", "start_minute", "end_minute", "status", "patient__given_name", "patient__family_name", "type__slug",
        "practitioner_id", "room__name",
    )  # fmt: skip
    return JsonResponse({"visits": list(rows)})


@requires("appointment.create")
def book(request):
    """The rows that a booking writes, by the ORM and in one transaction; nothing is checked."""
    asked = json.loads(request.body)
    starts_at = datetime.fromisoformat(asked["starts_at"])
    kind = AppointmentType.objects.get(slug=asked["type"])
    place = Location.objects.get(slug=asked["location"])
    known = Patient.locations.through
    start = times.to_minute(starts_at)
    with transaction.atomic():
        visit = Appointment.objects.create(
            patient_id=asked["patient"], practitioner_id=asked["practitioner"], location=place, room_id=asked["room"],
            type=kind, starts_at=starts_at, ends_at=times.from_minute(start + kind.minutes), start_minute=start,
            end_minute=start + kind.minutes, busy_from=start, busy_until=start + kind.minutes,
        )  # fmt: skip
        known.objects.bulk_create([known(patient_id=asked["patient"], location=place)], ignore_conflicts=True)
        AppointmentEvent.objects.create(
            appointment=visit, step="booked", at=times.now(), by=request.user, by_whom=str(request.user),
            to_status="booked", to_start=starts_at,
        )  # fmt: skip
        AuditEntry.objects.create(
            at=times.now(), by=request.user, by_whom=str(request.user), action="appointment.booked",
            about="appointments.appointment", about_id=visit.pk, patient_id=asked["patient"],
        )  # fmt: skip
    return JsonResponse({"id": visit.pk}, status=201)


urlpatterns = [path("day", day), path("book", book)]
settings.ROOT_URLCONF = __name__
_signed_in = get_wsgi_application()


def application(environ, start_response):
    view = BARE.get(environ["PATH_INFO"])
    if view is None:
        return _signed_in(environ, start_response)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, answer = view(parse_qs(urlsplit("?" + environ["QUERY_STRING"]).query), body)
    start_response(f"{status} X", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
