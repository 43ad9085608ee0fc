"""A stranger at the public page, in a process of their own: several want the same times, or press the same links.

Usage: python -m tests.appointments.public_rivals NUMBER ROUNDS [--unguarded], or NUMBER --press TOKENS [--unguarded].
Prints how often each answer came. With --unguarded it looks whether the time is held, or the visit booked, and then
holds or books it, without lock or constraint: the control that must fail.
"""

import collections
import json
import os
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from appointments.models import Appointment, AppointmentType, BookingRequest, Hold  # noqa: E402
from appointments.online import public_booking, public_forms  # noqa: E402
from clinic import times  # noqa: E402
from locations.models import Practitioner, Room  # noqa: E402
from tests.appointments.processes import start  # noqa: E402
from tests.make import at  # noqa: E402


def ask(number, n, person):
    with times.as_of(times.now() - timedelta(minutes=1)):
        stamp = public_forms.stamp()
    starts_at = at(9) + timedelta(minutes=60 * (n % 8), days=n // 8)
    sent = {
        "type": "evaluation", "slot": f"{starts_at.isoformat()}|atlanta|{person}", "stamp": stamp, "now": ["none"],
        "given_name": f"Stranger {number}", "family_name": "Row", "birth_date": "1980-02-03",
        "email": f"s{number}x{n}@example.org", "phone": "404 555 0123", "wants_mails": "yes", "agrees": "on",
    }  # fmt: skip
    client = Client(REMOTE_ADDR=f"198.51.{number}.{n}", raise_request_exception=False)
    return str(client.post("/book/time/", sent).status_code)


def unguarded(n, person):
    minute = times.to_minute(at(9)) + 60 * n
    if Hold.objects.filter(practitioner=person, start_minute=minute).exists():
        return "409"
    kind, room = AppointmentType.objects.first(), Room.objects.first()
    Hold.objects.create(
        practitioner_id=person, location=room.location, room=room, type=kind, status="held",
        held_until=times.now() + timedelta(minutes=30), starts_at=at(9), ends_at=at(10), start_minute=minute,
        end_minute=minute + 60, busy_from=minute, busy_until=minute + 60,
    )  # fmt: skip
    return "302"


def press(token):
    answer = Client(raise_request_exception=False).post(f"/book/confirm/{token}/", {"step": "book"})
    return "booked" if b"Your visit is booked" in answer.content else str(answer.status_code)


def press_unguarded(token):
    found = public_booking.find(token)
    if found is None:
        return "410"
    request = found[1]
    minute = times.to_minute(request.starts_at)
    visit = Appointment.objects.create(
        patient=public_booking._register(request), practitioner=request.practitioner, location=request.location,
        room=Room.objects.first(), type=request.type, status="booked", starts_at=request.starts_at,
        ends_at=times.from_minute(minute + 60), start_minute=minute, end_minute=minute + 60, busy_from=minute,
        busy_until=minute + 60,
    )  # fmt: skip
    BookingRequest.objects.filter(pk=request.pk).update(visit=visit, was_known=False)
    return "booked"


def rounds(number, arguments):
    is_guarded = "--unguarded" not in arguments
    if arguments[0] == "--press":
        act = press if is_guarded else press_unguarded
        return [lambda token=token: act(token) for token in arguments[1].split(",")]
    person = Practitioner.objects.get().pk
    act = (lambda n: ask(number, n, person)) if is_guarded else (lambda n: unguarded(n, person))
    return [lambda n=n: act(n) for n in range(int(arguments[0]))]


def main():
    acts = rounds(int(sys.argv[1]), sys.argv[2:])
    start()
    came_back = collections.Counter(act() for act in acts)
    connection.close()
    sys.stdout.write(json.dumps(came_back))


if __name__ == "__main__":
    main()
