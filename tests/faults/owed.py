"""Mails that are due: visits that were booked five minutes ago, as rows; and how it ended with them."""

from collections import Counter
from datetime import timedelta

from appointments.models import Appointment, AppointmentEvent
from clinic import times
from clinic.models import Message
from locations.models import Room
from patients.models import Consent, Patient
from tests import make

A_DAY = 20  # visits of a practitioner


def book(number: int, *, ago=timedelta(minutes=5)) -> list[Appointment]:
    """Visits of as many patients from a Monday on; their notices fell due two minutes ago."""
    place = make.location("atlanta")
    kind = make.appointment_type()
    chiros = [make.practitioner(place) for _ in range(min(5, number))]
    rooms = [Room.objects.create(location=place, kind=kind.room_kind, name=f"Room {n}") for n in range(len(chiros))]
    patients = Patient.objects.bulk_create(
        Patient(
            given_name="Avery", family_name=f"Testerson {n}", birth_date=make.MONDAY, home_location=place,
            email=f"owed{n}@example.org",
        )
        for n in range(number)
    )  # fmt: skip
    now = times.now()
    Consent.objects.bulk_create(Consent(patient=one, scope="email_reminders", given_at=now) for one in patients)
    first = place.today() + timedelta(days=14)
    first += timedelta(days=-first.weekday() % 7)
    rows = []
    for n, patient in enumerate(patients):
        chiro, slot = n % len(chiros), n // len(chiros)
        starts_at = make.at(9, day=first + timedelta(days=slot // A_DAY)) + timedelta(minutes=15 * (slot % A_DAY))
        start = times.to_minute(starts_at)
        rows.append(
            Appointment(
                patient=patient, practitioner=chiros[chiro], location=place, room=rooms[chiro], type=kind,
                starts_at=starts_at, ends_at=starts_at + timedelta(minutes=15), start_minute=start,
                end_minute=start + 15, busy_from=start, busy_until=start + 15,
            )
        )  # fmt: skip
    visits = Appointment.objects.bulk_create(rows)
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(appointment=one, step="booked", at=now - ago, by_whom="desk", to_status="booked",
                         to_start=one.starts_at)
        for one in visits
    )  # fmt: skip
    return visits


def statuses() -> dict[str, int]:
    return dict(Counter(Message.objects.values_list("status", flat=True)))


def lost(sink) -> set[str]:
    """Mails that were owed and never taken, whatever their rows say; those skipped or missed are not owed any more."""
    owed = Message.objects.exclude(status__in=["skipped", "missed"])
    return set(owed.values_list("message_id", flat=True)) - set(sink.taken)


def untold(sink) -> set[str]:
    """Mails of which there are two copies, although their rows say that there is one."""
    flagged = Message.objects.filter(status="sent_maybe_twice").values_list("message_id", flat=True)
    return set(sink.doubled) - set(flagged)
