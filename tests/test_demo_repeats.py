from datetime import UTC, datetime

import time_machine
from django.db import transaction

from appointments.models import Appointment
from careplans.models import CarePlan
from clinic import demo
from evaluations.models import Finding
from patients.models import Patient

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)


def _visits():
    return list(
        Appointment.objects.order_by("pk").values_list(
            "patient__email", "practitioner__user__email", "room__name", "start_minute", "end_minute", "status", "uid"
        )
    )


def _loaded_and_undone():
    with transaction.atomic(), time_machine.travel(NOON, tick=False):
        demo.load("small", seed=7)
        patients = list(Patient.objects.order_by("pk").values_list("given_name", "birth_date", "phone"))
        findings = list(Finding.objects.order_by("pk").values_list("code", "qualifier_key", "number", "at"))
        plans = list(CarePlan.objects.order_by("pk").values_list("patient__email", "status", "starts_on"))
        clinic = (patients, _visits(), findings, plans)
        transaction.set_rollback(True)
    return clinic


def test_the_same_seed_gives_the_same_clinic(db):
    assert _loaded_and_undone() == _loaded_and_undone()
