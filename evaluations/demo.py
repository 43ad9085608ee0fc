"""Evaluations of the invented clinics: the six charts as they were recorded, and a share of the past visits.

Recorded by the rules as if it were then, so that every evaluation has its answers, its signature and its audit
entries. The dates of the charts are kept, a whole number of years earlier where they would lie ahead.
"""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from appointments.models import Appointment
from clinic import times
from clinic.demo import World
from evaluations import catalogue, demo_notes, finding_paths, imaging, recording, signing
from evaluations.intake import history_taking
from evaluations.models import Evaluation
from evaluations.safety import red_flags
from patients import demo as patients_demo
from patients import intake
from patients.models import Patient

CHARTS = Path(__file__).parent / "demo_charts"
YEAR = timedelta(weeks=52)
FILM_WORDS = "To measure the atlas before and after the course of care; no other films of the neck are known."
RATIONALE = "Talked through with the patient; care goes on as noted here."
CONCLUSIONS = (
    "Findings fit headache from the upper neck. Care plan proposed.",
    "Upper cervical dysfunction with restricted rotation; gentle care is suitable.",
    "Posture and desk work contribute. Begin with relief, then exercises.",
)


def load(world: World) -> None:
    rng = world.random("evaluations")
    charts = [json.loads(path.read_text()) for path in sorted(CHARTS.glob("*.json"))]
    back = _years_back(charts, world.now)
    people = patients_demo.enrol([_patient(chart, world) for chart in charts], world, rng)
    for person, chart in zip(people, charts, strict=True):
        intake.record(person, chart["intake"], by=None, by_whom="demo")
    world.patients += people
    for person, chart in zip(people, charts, strict=True):
        baseline = _from_chart(person, chart, "baseline", back, world)
        if chart.get("reevaluation"):
            _from_chart(person, chart, "reevaluation", back, world)
        world.charts.append((baseline, chart, back))
    _of_visits(world, charts, rng)
    demo_notes.load(world)


def clinician_at(world: World, location):
    """Somebody who works at the location and signs there."""
    return next(p.user for p in world.practitioners if location in world.places_of[p.pk])


def _years_back(charts: list[dict], now: datetime) -> timedelta:
    parts = [chart[part] for chart in charts for part in ("baseline", "reevaluation") if chart.get(part)]
    latest = max(datetime.fromisoformat(part["evaluation"]["ended_at"]) for part in parts)
    back = timedelta()
    while latest - back > now:
        back += YEAR
    return back


def _patient(chart: dict, world: World) -> Patient:
    said, address = chart["patient"], chart["patient"]["address"]
    return Patient(
        given_name=" ".join(said["given"]),
        family_name=said["family"],
        birth_date=date.fromisoformat(said["birth_date"]),
        sex=said["sex"],
        email=said["email"],
        phone=said["phone"].replace(" ", ""),
        street=address["line"],
        city=address["city"],
        state=address["state"],
        postal_code=address["postal_code"],
        home_location=world.location(said["home_location"]),
        record_number=said["mrn"],
    )


def _from_chart(patient: Patient, chart: dict, part: str, back: timedelta, world: World) -> Evaluation:
    said = chart[part]["evaluation"]
    begun, ended = (datetime.fromisoformat(said[name]) - back for name in ("started_at", "ended_at"))
    by = clinician_at(world, patient.home_location)
    with times.as_of(begun):
        evaluation = recording.start(patient=patient, location=patient.home_location, by=by, kind=said["kind"])
    with times.as_of(begun + timedelta(minutes=9)):
        _answer(evaluation, chart["red_flags"]["answers"], by)
        history_taking.confirm(evaluation, {}, version=history_taking.answers_for(evaluation)[1], by=by)
        _resolve(evaluation, chart, by)
        _acknowledge(patient, by)  # what the intake raised
    with times.as_of(ended - timedelta(minutes=2)):
        outcomes = {name: value for name, value in chart[part]["outcomes"].items() if value is not None}
        recording.save(
            evaluation,
            findings=_with_words(finding_paths.read_findings(said)),
            version=evaluation.version,
            by=by,
            outcomes=outcomes,
        )
        _resolve(evaluation, chart, by)
    with times.as_of(ended):
        return signing.sign(evaluation, by=by)


def _with_words(findings: list[dict]) -> list[dict]:
    """A film has beside it what it is for (`imaging`)."""
    return [{**one, "note": FILM_WORDS} if imaging.is_film(one["code"], one["value"]) else one for one in findings]


def _answer(evaluation: Evaluation, answers: dict, by) -> None:
    recording.save(evaluation, findings=[], version=evaluation.version, by=by, answers=answers)


def _resolve(evaluation: Evaluation, chart: dict, by) -> None:
    """Close what the chart says was closed, in its words."""
    said = chart["red_flags"]["resolutions"]
    restrictions = (chart.get("care_plan") or {}).get("restrictions", [])
    for event in red_flags.open_events(evaluation.patient):
        resolution = said.get(event.code)
        if resolution == "answered_later":
            red_flags.answer(patient=evaluation.patient, evaluation=evaluation, answers={event.code: "no"}, by=by)
        elif resolution:
            kept = restrictions if resolution == "acknowledged_modified" else []
            red_flags.resolve(event, resolution=resolution, by=by, rationale=RATIONALE, restrictions=kept)


def _of_visits(world: World, charts: list[dict], rng: Random) -> None:
    """The newest that are over, two of them stopped for safety and two left open; and whoever is in a room now."""
    visits = Appointment.objects.filter(type__is_evaluation=True).with_names()
    done = list(visits.filter(status=Appointment.Status.COMPLETED, type=world.types["evaluation"]).order_by("-pk"))
    again = list(visits.filter(status=Appointment.Status.COMPLETED, type=world.types["re-evaluation"]).order_by("-pk"))
    newest = sorted(done, key=lambda visit: (visit.starts_at, visit.pk), reverse=True)[
        : world.size.recorded_evaluations
    ]
    newest += again[: world.size.recorded_evaluations // 4]
    for n, visit in enumerate(newest):
        how = {1: "stopped", 2: "open", 8: "stopped", 9: "open"}.get(n, "signed")
        _record(visit, rng.choice(charts)["baseline"]["evaluation"], how, rng)
    for visit in visits.filter(status=Appointment.Status.IN_ROOM):
        _record(visit, rng.choice(charts)["baseline"]["evaluation"], "open", rng)


def _record(visit: Appointment, like: dict, how: str, rng: Random) -> None:
    by, patient = visit.practitioner.user, visit.patient
    kind = Evaluation.Kind.INITIAL if visit.type.slug == "evaluation" else Evaluation.Kind.REEVALUATION
    with times.as_of(visit.starts_at):
        evaluation = recording.start(patient=patient, location=visit.location, by=by, appointment=visit, kind=kind)
        answers = {flag.code: "no" for flag in red_flags.questions()}
        if how == "stopped":
            answers["rf_thunderclap"] = "yes"
        _answer(evaluation, answers, by)
        if how == "stopped":
            red_flags.stop(evaluation, by=by)
            return
    findings = [_varied(finding, rng) for finding in _with_words(finding_paths.read_findings(like))]
    if how == "open":
        findings = findings[: len(findings) // 4]
    with times.as_of(visit.starts_at + (visit.ends_at - visit.starts_at) / 4):
        recording.save(
            evaluation,
            findings=findings,
            version=evaluation.version,
            by=by,
            outcomes=_outcomes(rng),
            conclusion=rng.choice(CONCLUSIONS) if how == "signed" else "",
        )
        _acknowledge(patient, by)
    if how == "signed":
        with times.as_of(visit.ends_at):
            signing.sign(evaluation, by=by)


def _acknowledge(patient: Patient, by) -> None:
    """Cautions raised by a measurement or by age are noted and care goes on; what is graver stays open."""
    for event in red_flags.open_events(patient):
        if event.tier == "caution":
            red_flags.resolve(event, resolution="acknowledged_no_change", by=by, rationale=RATIONALE)


def _varied(finding: dict, rng: Random) -> dict:
    """The same finding of another person: numbers a little different, within what the catalogue allows."""
    entry = catalogue.FINDINGS[finding["code"]]
    if not entry.is_numeric or not finding["value"]:
        return finding
    step = entry.step or Decimal(1)
    varied = Decimal(str(finding["value"])) * Decimal(str(round(rng.uniform(0.95, 1.05), 3)))
    varied = (varied / step).quantize(Decimal(1)) * step
    varied = min(max(varied, entry.min), entry.max) if entry.min is not None and entry.max is not None else varied
    return {**finding, "value": int(varied) if entry.kind == "integer" else float(varied)}


def _outcomes(rng: Random) -> dict:
    days = rng.randint(4, 16)
    return {
        "nprs_neck": rng.randint(3, 7),
        "nprs_headache_usual": rng.randint(4, 8),
        "hit6_total": rng.randint(50, 70),
        "ndi_items": [rng.randint(0, 3) for _ in range(10)],
        "headache_days_28": days,
        "migraine_days_28": rng.randint(2, days),
        "acute_med_days_28": rng.randint(1, days),
    }
