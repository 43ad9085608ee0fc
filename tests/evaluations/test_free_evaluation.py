"""A free first evaluation may be all there is: booked, examined, signed, printed, without a plan and without money."""

import re
from datetime import timedelta

from django.apps import apps
from django.utils import timezone

from appointments import booking, visit_status
from evaluations import catalogue, recording, signing
from evaluations.safety import red_flags
from tests.make import at

MONEY = re.compile(r"payment|invoice|(?<!dis)charge|price|billing|balance|refund|deposit", re.IGNORECASE)


def test_it_ends_complete_and_printable_with_no_plan(
    client, patient, atlanta, chiro, evaluation_type, desk, chart, sent, time_machine
):
    visit = booking.book(patient=patient, practitioner=chiro, location=atlanta, type=evaluation_type, by=desk,
                         starts_at=at(10))  # fmt: skip
    time_machine.move_to(at(10), tick=False)
    visit = visit_status.start(visit_status.arrive(visit, by=desk), by=chiro.user)
    begun = recording.start(patient=patient, location=atlanta, by=chiro.user, appointment=visit)
    answers = dict.fromkeys(catalogue.RED_FLAGS, "no")
    red_flags.answer(patient=patient, evaluation=begun, answers=answers, by=chiro.user)
    begun.refresh_from_db()
    recording.save(begun, findings=sent, outcomes=chart["baseline"]["outcomes"], version=begun.version, by=chiro.user)
    begun.refresh_from_db()
    signed = signing.sign(begun, by=chiro.user)
    time_machine.shift(timedelta(minutes=50))
    visit = visit_status.complete(visit, by=chiro.user)

    assert (visit.status, signed.is_signed) == ("completed", True)
    assert signed.signed_at <= timezone.now()
    assert not patient.care_plans.exists()
    assert not patient.series.exists()
    client.force_login(chiro.user)
    for address in ("print", "report"):
        answer = client.get(f"/evaluations/{signed.pk}/{address}/")
        assert answer.status_code == 200
        assert patient.name in answer.content.decode()
    assert client.get(f"/patients/{patient.pk}/").status_code == 200


def test_nothing_keeps_money():
    kept = [model._meta.label for app in apps.get_app_configs() for model in app.get_models()]
    fields = [f"{label}.{field.name}" for label in kept for field in apps.get_model(label)._meta.get_fields()]

    assert not [name for name in (*kept, *fields) if MONEY.search(name)]
