"""The page of an evaluation full of findings, a save while one types, and a patient compared over thirty evaluations.

The floor of the page is the same form without data; that of a save is one UPDATE of one row, committed.
"""

import json
import time
import uuid
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import evaluations
from benchmarks.rounds import Aim, figure, race
from clinic import times
from evaluations import catalogue, compare_page, finding_paths, recording, signing
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from locations.models import Practitioner
from patients.models import Patient

CHART = Path(evaluations.__file__).parent / "demo_charts" / "C01.json"
EMAIL, MANY, SLOWER_BY = "examined@bench.test", 30, 15  # milliseconds over the floor
MOST_OF_PAGE, MOST_OF_COMPARISON = 10, 6


def measure(run):
    with run.small.chosen():
        by = Practitioner.objects.select_related("user").first().user
        full, empty = _examined(by)
        client = Client(raise_request_exception=True)
        client.force_login(by, settings.AUTHENTICATION_BACKENDS[0])
        yield _page(run, client, full, empty)
        yield _save(run, client, full)
        yield _comparison(run, full)


def _examined(by) -> tuple[Evaluation, Evaluation]:
    """The thirtieth evaluation of a patient, with every finding of a chart, and one without any."""
    patient = Patient.objects.filter(email=EMAIL).first() or _patient(by)
    drafts = list(patient.evaluations.filter(signed_at=None).order_by("started_at"))
    return drafts[-2], drafts[-1]


def _patient(by):
    place = by.assignments.exclude(location=None).first().location
    patient = Patient.objects.create(
        given_name="Examined", birth_date=date(1980, 5, 5), email=EMAIL, home_location=place
    )
    patient.locations.add(place)
    findings = finding_paths.read_findings(json.loads(CHART.read_text())["baseline"]["evaluation"])
    answers = dict.fromkeys(catalogue.RED_FLAGS, "no")
    for number in range(MANY + 1):
        with times.as_of(times.now() - timedelta(days=7 * (MANY - number))):
            one = recording.start(patient=patient, location=place, by=by)
            if number == MANY:
                return patient
            red_flags.answer(patient=patient, evaluation=one, answers=answers, by=by)
            recording.save(one, findings=findings, version=one.version, by=by, outcomes={"nprs_neck": number % 11})
            if number < MANY - 1:
                _sign(one, by)
    return patient


def _sign(one, by):
    """As signing does it, without its questions: what is measured is what reading it costs."""
    one.signed_by, one.signed_at, one.status = by, times.now(), Evaluation.Status.SIGNED
    one.age_when_signed = one.age
    one.digest = signing.digest_of(one)
    one.save(update_fields=["signed_by", "signed_at", "status", "age_when_signed", "digest"])


def _limit(what, found, most):
    return {"what": what, "ratio": found, "aim": f"at most {most}", "met": found <= most}


def _page(run, client, full, empty):
    addresses = {"with data": full, "without data": empty}
    contestants = {
        who: lambda one=one: client.get(reverse("evaluation", args=[one.pk])) for who, one in addresses.items()
    }
    for ask in contestants.values():
        assert ask().status_code == 200
    timed = race(contestants, rounds=run.rounds, times_a_round=3)
    found = figure("page of an evaluation", run.engine, timed, [Aim("with data", "without data", at_most=3)])
    with CaptureQueriesContext(run.small.wrapper) as caught:
        contestants["with data"]()
    found.aims.append(_limit("queries", len(caught), MOST_OF_PAGE))
    return found


def _save(run, client, full):
    address, number, raw = reverse("evaluation-detail", args=[full.pk]), iter(range(10**6)), run.small.raw()
    full.refresh_from_db()
    state = {"version": full.version}

    def ours():
        finding = {"code": "heart_rate", "value": 60 + next(number) % 30}
        body = {"version": state["version"], "operation": str(uuid.uuid4()), "findings": [finding]}
        answer = client.patch(address, json.dumps(body), content_type="application/json")
        state["version"] = answer.json()["version"]

    sql = f"UPDATE evaluations_finding SET version = version + 1 WHERE id = {full.findings.first().pk}"
    ours()
    timed = race({"ours": ours, "F": lambda: raw.execute(sql)}, rounds=run.rounds, times_a_round=10)
    found = figure("save of one finding", run.engine, timed, **{"ms of processor a save": _processor(ours)})
    over = round(found.median_ms["ours"] - found.median_ms["F"], 1)
    found.aims = [_limit("ms over one UPDATE", over, SLOWER_BY)]
    return found


def _processor(ask, calls=20) -> float:
    begun = time.process_time()
    for _ in range(calls):
        ask()
    return round((time.process_time() - begun) * 1000 / calls, 1)


def _comparison(run, full):
    timed = race({"ours": lambda: compare_page.context(full)}, rounds=run.rounds)
    found = figure(f"comparison of {MANY} evaluations", run.engine, timed)
    with CaptureQueriesContext(run.small.wrapper) as caught:
        compare_page.context(Evaluation.objects.get(pk=full.pk))
    found.aims = [_limit("queries", len(caught), MOST_OF_COMPARISON)]
    return found
