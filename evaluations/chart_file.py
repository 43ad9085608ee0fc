"""The parts of a chart file that are the examination's: red flags, evaluations, and what follows from them."""

from datetime import date, datetime
from pathlib import Path

from clinic import json_checks, times
from clinic.chart_files import Bringing
from clinic.errors import RuleBroken
from evaluations import brought_in, catalogue, checking, consistency, derived, finding_paths, finding_rows, measures
from evaluations.models import Evaluation, RedFlagAnswer
from evaluations.readings import Readings
from locations.models import Location
from patients import chart_file as person
from patients.models import Intake, Patient

PARTS = ("red_flags", "baseline", "reevaluation", "further_evaluations")
NOT_NAMED = "Not named"
AMENDED = "amended"  # signed, with addenda (reference 2)
OUTCOMES = (*measures.MEASURES, *measures.LISTS, "eq5d5l_state")
_SCHEMA = json_checks.schema(Path(__file__).with_name("chart_schema.json"))


def _evaluations(chart: dict):
    """(path, part) of every evaluation in the file, in the order they were made."""
    if chart.get("baseline") is not None:
        yield "$.baseline", chart["baseline"]
    for n, part in enumerate(chart.get("further_evaluations") or []):
        yield f"$.further_evaluations[{n}]", part
    if chart.get("reevaluation") is not None:
        yield "$.reevaluation", chart["reevaluation"]


def faults(chart: dict) -> dict[str, str]:
    found = json_checks.faults({name: chart[name] for name in PARTS if name in chart}, _SCHEMA)
    if found:
        return found
    said = chart.get("red_flags") or {}
    for name in ("answers", "resolutions"):
        for code in said.get(name) or {}:
            if code not in catalogue.RED_FLAGS:
                found[f"$.red_flags.{name}.{code}"] = "There is no such red flag."
    for path, part in _evaluations(chart):
        found |= _header_faults(part["evaluation"], f"{path}.evaluation")
        found |= _finding_faults(part["evaluation"], f"{path}.evaluation")
        found |= _outcome_faults(part.get("outcomes") or {}, f"{path}.outcomes")
    return found


def _header_faults(said, at) -> dict[str, str]:
    found = {}
    place = Location.objects.filter(slug=said["location"]).first()
    if place is None:
        found[f"{at}.location"] = "There is no such location."
    elif said.get("timezone") not in (None, place.time_zone):
        found[f"{at}.timezone"] = f"The zone of {place} is {place.time_zone}."
    begun, ended = datetime.fromisoformat(said["started_at"]), said.get("ended_at")
    if ended is None:
        if said["status"] != Evaluation.Status.IN_PROGRESS:
            found[f"{at}.ended_at"] = "Only an evaluation in progress has no end."
    elif datetime.fromisoformat(ended) <= begun:
        found[f"{at}.ended_at"] = "The evaluation ends before it starts."
    elif said.get("duration_minutes") not in (None, _minutes(begun, datetime.fromisoformat(ended))):
        found[f"{at}.duration_minutes"] = "This is not the time from start to end."
    if place is not None:
        for name in ("started_at", "ended_at"):
            moment = said.get(name) and datetime.fromisoformat(said[name])
            if moment and times.local(moment, place.time_zone).utcoffset() != moment.utcoffset():
                found[f"{at}.{name}"] = f"The offset is not that of {place.time_zone} at that time."
    return found


def _minutes(begun: datetime, ended: datetime) -> int:
    return int((ended - begun).total_seconds() // 60)


def _checked(said) -> tuple[list[str], list, dict[str, str]]:
    """Paths, checked findings, and faults by path below the evaluation."""
    findings, found = finding_paths.read_with_paths(said)
    paths = list(findings)
    checked, wrong = checking.check_all(list(findings.values()))
    if not wrong and not found:
        checked, wrong = consistency.settle(checked, [])
    for where, sentence in wrong.items():
        position, name = where.split(".", 1)
        found[f"{paths[int(position)]}.{name}"] = sentence
    return paths, checked, found


def _finding_faults(said, at) -> dict[str, str]:
    return {f"{at}.{path}": sentence for path, sentence in _checked(said)[2].items()}


def _outcome_faults(said, at) -> dict[str, str]:
    try:
        measures.check(said)
    except RuleBroken as broken:
        return {f"{at}.{name.removeprefix('measures.')}": text for name, text in broken.fields.items()}
    return {}


def bring_in(chart: dict, bringing: Bringing) -> None:
    patient, said = bringing.patient, chart.get("red_flags") or {}
    written = []
    for path, part in _evaluations(chart):
        header = part["evaluation"]
        ended = header.get("ended_at")
        evaluation = brought_in.write(
            patient,
            location=Location.objects.get(slug=header["location"]),
            kind=header["kind"],
            status=header["status"],
            started_at=datetime.fromisoformat(header["started_at"]),
            ended_at=datetime.fromisoformat(ended) if ended else None,
            by=header.get("examiner") or NOT_NAMED,
            findings=_checked(header)[1],
            outcomes={**(part.get("outcomes") or {}), "counts_origin": "paper"},
            conclusion=part.get("conclusion") or "",
            intake=chart.get("intake") if path == "$.baseline" else None,  # it was told at the first
        )
        written.append((evaluation, part))
        patient.locations.add(evaluation.location)
    if said.get("answers"):
        first = written[0][0] if written else None
        brought_in.answer(
            patient,
            first,
            said["answers"],
            said.get("resolutions") or {},
            by=first.started_by if first else brought_in.examiner(NOT_NAMED),
            at=first.started_at if first else times.now(),
        )
    _keep_besides(chart, patient)
    for evaluation, part in written:
        brought_in.close(evaluation, part["evaluation"]["status"], part["evaluation"].get("addenda") or [])


def _keep_besides(chart: dict, patient: Patient) -> None:
    """What has no place of its own: resolutions of what was a no, a status of other systems, who observed a finding."""
    said = chart.get("red_flags") or {}
    answers = said.get("answers") or {}
    besides = {
        f"$.red_flags.resolutions.{code}": resolution
        for code, resolution in (said.get("resolutions") or {}).items()
        if answers.get(code) in (None, "no")
    }
    for path, part in _evaluations(chart):
        if part["evaluation"]["status"] == AMENDED:
            besides[f"{path}.evaluation.status"] = AMENDED
        if observed := finding_paths.besides(part["evaluation"]):
            besides[f"{path}.evaluation.observed"] = observed
    person.keep(patient, besides)


def _with_besides(patient: Patient, path: str, part: dict) -> dict:
    """The part as it was sent: with the status its file names, and what it says of single findings."""
    kept = person.kept(patient, f"{path}.evaluation.")
    if part["evaluation"]["status"] == Evaluation.Status.SIGNED and "status" in kept:
        part["evaluation"]["status"] = kept["status"]
    finding_paths.put_back(part["evaluation"], kept.get("observed") or {})
    return part


def take_out(patient: Patient) -> dict:
    """Red flags, evaluations and `derived`."""
    evaluations = list(patient.evaluations.order_by("started_at", "pk").prefetch_related("findings", "addenda__by"))
    evaluations = [e for e in evaluations if e.location]
    chart = {"red_flags": _red_flags(patient, evaluations), "baseline": None, "reevaluation": None}
    if evaluations:
        chart["baseline"] = _with_besides(patient, "$.baseline", _part(evaluations[0]))
    if len(evaluations) > 1:
        chart["reevaluation"] = _with_besides(patient, "$.reevaluation", _part(evaluations[-1]))
    if further := evaluations[1:-1]:
        chart["further_evaluations"] = [
            _with_besides(patient, f"$.further_evaluations[{n}]", _part(one)) for n, one in enumerate(further)
        ]
    return chart | {"derived": _derived(patient, evaluations, chart["red_flags"])}


def _red_flags(patient, evaluations) -> dict:
    """The answers at the first screen, and how each event that they opened was closed or what was noted for it."""
    rows = RedFlagAnswer.objects.filter(patient=patient, is_automatic=False)
    if evaluations:
        rows = rows.filter(evaluation=evaluations[0])
    answers = {}
    for row in rows.order_by("at", "pk"):
        answers.setdefault(row.code, row.answer)
    resolutions = {}
    for event in patient.red_flag_events.order_by("pk"):
        noted = event.detail.get("resolution") or event.resolution
        if noted and event.code in answers:
            besides = {name: value for name, value in event.detail.items() if name != "resolution"}
            resolutions[event.code] = {"resolution": noted, **besides} if besides else noted
    resolutions |= person.kept(patient, "$.red_flags.resolutions.")
    return {"answers": answers, "resolutions": resolutions}


def _signer(evaluation):
    return evaluation.signed_by or evaluation.started_by


def _part(evaluation: Evaluation) -> dict:
    zone = evaluation.location.time_zone
    ended = evaluation.ended_at
    header = {
        "kind": evaluation.kind,
        "started_at": times.local(evaluation.started_at, zone).isoformat(),
        "ended_at": times.local(ended, zone).isoformat() if ended else None,
        "duration_minutes": _minutes(evaluation.started_at, ended) if ended else None,
        "timezone": zone,
        "examiner": None if evaluation.examiner == NOT_NAMED else evaluation.examiner or str(_signer(evaluation)),
        "location": evaluation.location.slug,
        "status": evaluation.status,
    }
    if evaluation.addenda.all():
        header["addenda"] = [
            {"text": one.text, "reason": one.reason, "by": str(one.by), "at": times.local(one.at, zone).isoformat()}
            for one in evaluation.addenda.all()
        ]
    findings = [finding_rows.as_sent(finding) for finding in evaluation.findings.all()]
    part = {"evaluation": header | finding_paths.write_findings(findings), "outcomes": _outcomes(evaluation)}
    return part | ({"conclusion": evaluation.conclusion} if evaluation.conclusion else {})


def _outcomes(evaluation) -> dict | None:
    """Every measure, asked or not; of a chart brought in those that its file names, so that they come back as sent."""
    if not evaluation.examiner:
        return {name: evaluation.measures.get(name) for name in OUTCOMES}
    return {name: evaluation.measures[name] for name in OUTCOMES if name in evaluation.measures} or None


def _derived(patient, evaluations, flags) -> dict:
    intake = Intake.objects.filter(patient=patient).values_list("answers", flat=True).first() or {}
    resolutions = {
        code: one["resolution"] if isinstance(one, dict) else one for code, one in flags["resolutions"].items()
    }
    first_day = _day(evaluations[0]) if evaluations else patient.home_location.today()
    results = {
        **derived.of_intake(intake, age=patient.age_on(first_day)),
        **derived.of_red_flags(flags["answers"], resolutions),
        "baseline": None,
        "reevaluation": None,
        "change": None,
    }
    if evaluations:
        results["baseline"] = _of(evaluations[0], patient, established=False)
    if len(evaluations) > 1:
        results["reevaluation"] = _of(evaluations[-1], patient, established=True)
        results["change"] = derived.of_change(evaluations[0].measures, evaluations[-1].measures)
    return results


def _day(evaluation) -> date:
    return times.day_of(evaluation.started_at, evaluation.location.time_zone)


def _of(evaluation, patient, *, established):
    return derived.of_evaluation(
        Readings(evaluation.findings.all()),
        evaluation.measures,
        age=patient.age_on(_day(evaluation)),
        established=established,
    )
