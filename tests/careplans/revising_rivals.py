"""One rival of the race test: a clinician who changes a plan that others change, too.

Usage: python -m tests.careplans.revising_rivals NUMBER ROUNDS [--unguarded]. Prints a list of [seen, status, version].
With --unguarded the version is compared and then written over, without lock or transaction: the control that must fail.
"""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from careplans.models import CarePlan  # noqa: E402
from clinic.models import User  # noqa: E402
from tests.appointments.processes import start  # noqa: E402


def said_of(plan, note):
    goals = [{"metric": "migraine_days_28", "baseline": 10, "target": 5, "due_on": "2027-03-01"}]
    return {
        "practitioner": plan.practitioner_id, "location": plan.location.slug, "starts_on": f"{plan.starts_on}",
        "phases": [{"kind": "relief", "visits_per_week": 2, "weeks": 4}], "goals": goals,
        "interventions": [{"code": "nucca"}], "reevaluate_by": "2027-02-01", "note": note, "reason": note,
    }  # fmt: skip


def guarded(client, plan, note):
    answer = client.post(f"/api/v1/care-plans/{plan.pk}/revise/", {**said_of(plan, note), "version": plan.version})
    body = answer.json()
    return answer.status_code, body.get("version") or body.get("conflict", {}).get("version")


def unguarded(plan, note):
    fresh = CarePlan.objects.get(pk=plan.pk)
    if fresh.version != plan.version:
        return 409, fresh.version
    fresh.version, fresh.note = fresh.version + 1, note
    fresh.save()
    return 200, fresh.version


def main():
    number, rounds = int(sys.argv[1]), int(sys.argv[2])
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(User.objects.get(email="rival@example.org"))
    start()
    answers = []
    for n in range(rounds):
        plan = CarePlan.objects.with_names().get()
        note = f"Rival {number}, round {n}."
        found = unguarded(plan, note) if "--unguarded" in sys.argv else guarded(client, plan, note)
        answers.append([plan.version, *found, note])
    connection.close()
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
