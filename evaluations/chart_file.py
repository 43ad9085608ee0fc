"""The parts of a chart file that are the examination's: red flags, evaluations, and what follows from them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import F

from clinic import chart_files, json_checks, times
from clinic.chart_files import Bringing
from clinic.errors import RuleBroken
from evaluations import brought_in, catalogue, consistency, derived, finding_paths, finding_rows, measures, summary
from evaluations.entry import checking
from evaluations.models import Evaluation, RedFlagAnswer, RedFlagEvent
from evaluations.readings import Readings
from evaluations.safety import automatic_flags, red_flags
from locations.models import Location
from patients import chart_file as person
from patients.models import Intake, Patient

PARTS = ("red_flags", "baseline", "reevaluation", "further_evaluations")
NOT_NAMED = "Not named"
FARTHEST_AHEAD, LONGEST = timedelta(days=366), timedelta(days=1)
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
    found |= _restriction_faults(said.get("resolutions") or {}) | _order_faults(chart)
    for path, part in _evaluations(chart):
        found |= _header_faults(part["evaluation"], f"{path}.evaluation")
        found |= _finding_faults(part["evaluation"], f"{path}.evaluation")
        found |= _outcome_faults(part.get("outcomes") or {}, f"{path}.outcomes")
    return found


def _restriction_faults(resolutions) -> dict[str, str]:
    return {
        f"$.red_flags.resolutions.{code}.restrictions[{n}]": f"Give one of {', '.join(red_flags.RESTRICTIONS)}."
        for code, said in resolutions.items()
        if isinstance(said, dict)
        for n, name in enumerate(said.get("restrictions") or [])
        if name not in red_flags.RESTRICTIONS
    }


def _order_faults(chart) -> dict[str, str]:
    """The first stands at `baseline`, the last at `reevaluation`, the others between, each after the one before."""
    if chart.get("baseline") is None and any(chart.get(name) for name in PARTS[2:]):
        return {"$.baseline": "The first evaluation stands here; this is missing."}
    if chart.get("reevaluation") is None and chart.get("further_evaluations"):
        return {"$.reevaluation": "The last evaluation stands here; this is missing."}
    found, before = {}, None
    born = json_checks.day(chart["patient"].get("birth_date")) if isinstance(chart["patient"], dict) else None
    for path, part in _evaluations(chart):
        begun, at = datetime.fromisoformat(part["evaluation"]["started_at"]), f"{path}.evaluation.started_at"
        if before is not None and begun < before:
            found[at] = "This is before the evaluation that stands before it."
        elif born is not None and begun.date() < born:
            found[at] = "This is before the patient's birth."
        elif begun - times.now() > FARTHEST_AHEAD:
            found[at] = "This is more than a year ahead."
        before = begun
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
    elif datetime.fromisoformat(ended) < begun:
        found[f"{at}.ended_at"] = "The evaluation ends before it starts."
    elif datetime.fromisoformat(ended) - begun > LONGEST:
        found[f"{at}.ended_at"] = "The evaluation is longer than a day."
    elif said.get("duration_minutes") not in (None, _minutes(begun, datetime.fromisoformat(ended))):
        found[f"{at}.duration_minutes"] = "This is not the time from start to end."
    is_signed = said["status"] in {Evaluation.Status.SIGNED, AMENDED}
    if "signed" in said and is_signed:
        found[f"{at}.signed"] = "The status says that it is signed."
    if said.get("addenda") and not _is_signed(said):
        found[f"{at}.addenda"] = "Only a signed evaluation is added to."
    for n, one in enumerate(said.get("addenda") or []):
        added = datetime.fromisoformat(one["at"])
        if ended is not None and added < datetime.fromisoformat(ended):
            found[f"{at}.addenda[{n}].at"] = "This is before the evaluation was signed, at its end."
        elif added - times.now() > FARTHEST_AHEAD:
            found[f"{at}.addenda[{n}].at"] = "This is more than a year ahead."
    if place is not None:
        for name in ("started_at", "ended_at"):
            moment = said.get(name) and datetime.fromisoformat(said[name])
            if moment and times.local(moment, place.time_zone).utcoffset() != moment.utcoffset():
                found[f"{at}.{name}"] = f"The offset is not that of {place.time_zone} at that time."
    return found


def _is_signed(said) -> bool:
    """What was stopped for safety is signed too, unless the file says that it is not."""
    return said["status"] != Evaluation.Status.IN_PROGRESS and said.get("signed", True)


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
            outcomes=_with_origin(part.get("outcomes") or {}),
            conclusion=part.get("conclusion") or "",
            intake=chart.get("intake") if path == "$.baseline" else None,  # it was told at the first
        )
        written.append((evaluation, part))
        patient.locations.add(evaluation.location)
    _bring_in_flags(patient, said.get("answers") or {}, said.get("resolutions") or {}, written)
    _keep_besides(chart, patient)
    for evaluation, part in written:
        if _is_signed(part["evaluation"]):
            brought_in.close(evaluation, part["evaluation"]["status"], part["evaluation"].get("addenda") or [])
    _keep_as_given(chart, patient)


def _with_origin(outcomes: dict) -> dict:
    """Counts without an origin were taken over from paper."""
    return {**outcomes, "counts_origin": outcomes.get("counts_origin") or measures.PAPER}


def _keep_as_given(chart, patient) -> None:
    """What the file says otherwise than it will be taken out."""
    said = dict(_evaluations(chart))
    for path, part in _taken_out(patient, _all(patient)):
        if found := chart_files.differences(said[path], part):
            person.keep(patient, {f"{path}.as_given": found})


def _bring_in_flags(patient, answers, resolutions, written) -> None:
    """The answers of the screen, and above them what was measured: a value raises its flag whatever was answered."""
    first = written[0][0] if written else None
    measured = _measured(written, answered={code for code, given in answers.items() if given == "yes"})
    brought_in.answer(
        patient,
        first,
        answers,
        resolutions,
        by=first.started_by if first else brought_in.examiner(NOT_NAMED),
        at=first.started_at if first else times.now(),
        measured={code for _, codes in measured for code in codes},
    )
    for evaluation, codes in measured:
        brought_in.raise_measured(evaluation, codes, resolutions)


def _measured(written, *, answered) -> list[tuple[Evaluation, list[str]]]:
    """The flags that follow from the values of each evaluation and were raised neither by an answer nor before."""
    raised, strengths, found = set(answered), {}, []
    for evaluation, part in written:
        if part["evaluation"]["status"] == Evaluation.Status.ENTERED_IN_ERROR:
            continue  # its values are of nobody
        findings = _checked(part["evaluation"])[1]
        flags = automatic_flags.flags_of(findings, age=evaluation.age, strengths_before=strengths)
        if new := sorted(flags - raised):
            found.append((evaluation, new))
        raised |= flags
        strengths |= automatic_flags.strengths(findings)
    return found


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
    chart_files.as_given(part, person.kept(patient, f"{path}.").get("as_given") or [])
    return part


def _all(patient: Patient) -> list[Evaluation]:
    one_each = ("location", "signed_by", "started_by", "withdrawal")
    rows = patient.evaluations.order_by("started_at", "pk").select_related(*one_each)
    return list(rows.prefetch_related("findings", "addenda__by"))


def _paths(number: int) -> list[str]:
    """Where so many evaluations stand in a file, in their order."""
    between = [f"$.further_evaluations[{n}]" for n in range(number - 2)]
    return ["$.baseline", *between, "$.reevaluation"][:number]


def _taken_out(patient, evaluations) -> Iterator[tuple[str, dict]]:
    """(path, part) of each; those that were brought in with what their own file said besides."""
    brought = [one.pk for one in evaluations if one.examiner]
    came_as = dict(zip(brought, _paths(len(brought)), strict=True))
    for path, one in zip(_paths(len(evaluations)), evaluations, strict=True):
        part = _part(one)
        yield path, _with_besides(patient, came_as[one.pk], part) if one.pk in came_as else part


def take_out(patient: Patient) -> dict:
    """Red flags, evaluations and `derived`."""
    evaluations = _all(patient)
    parts = dict(_taken_out(patient, evaluations))
    flags = _red_flags(patient)
    chart = {"red_flags": person.or_nothing(patient, "red_flags", flags)}
    chart |= {name: parts.pop(f"$.{name}", None) for name in ("baseline", "reevaluation")}
    if parts:
        chart["further_evaluations"] = list(parts.values())
    return chart | {"derived": _derived(patient, evaluations, flags)}


def _red_flags(patient) -> dict:
    """What the chart says of each flag, and how what it opened was closed or what was noted for it.

    A yes stays, also one that was measured, and otherwise the last answer counts: who reads the file, or brings it in
    again, must see as stopped what is stopped here. Of an evaluation that was itself brought in the file's own answers
    come back; its values say the rest, and raise their flags wherever they are brought in.
    """
    counted = RedFlagAnswer.objects.filter(patient=patient, evaluation__withdrawal=None)
    rows = counted.exclude(is_automatic=True, evaluation__examiner__gt="")
    answers = {}
    for code, given in rows.order_by("at", "pk").values_list("code", "answer"):
        if answers.get(code) != "yes":
            answers[code] = given
    events = _last_events(patient)
    kept = person.kept(patient, "$.red_flags.resolutions.")
    resolutions = {code: noted for code, noted in kept.items() if code not in events}
    for code, event in events.items():
        noted = event.detail.get("resolution") or event.resolution
        if noted and code in answers:
            besides = {name: value for name, value in event.detail.items() if name != "resolution"}
            if "resolution" not in event.detail:  # resolved here: what was restricted holds wherever it is brought in
                besides |= {"rationale": event.rationale, "restrictions": event.restrictions}
            resolutions[code] = {"resolution": noted, **besides} if besides else noted
    return {"answers": answers, "resolutions": resolutions}


def _last_events(patient) -> dict[str, RedFlagEvent]:
    """The event that says how each flag stands: the open one, or the last that was closed."""
    return {event.code: event for event in patient.red_flag_events.order_by(F("resolved_at").asc(nulls_last=True))}


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
        "status": evaluation.standing,
    }
    if evaluation.status == Evaluation.Status.STOPPED and not evaluation.is_signed:
        header["signed"] = False
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
    origin = evaluation.measures.get("counts_origin")
    if not evaluation.examiner:
        told = {name: evaluation.measures.get(name) for name in OUTCOMES}
        return told | ({"counts_origin": origin} if origin else {})
    told = {name: evaluation.measures[name] for name in OUTCOMES if name in evaluation.measures}
    return told | ({"counts_origin": origin} if origin not in (None, measures.PAPER) else {}) or None


def _derived(patient, evaluations, flags) -> dict:
    intake = Intake.objects.filter(patient=patient).values_list("answers", flat=True).first() or {}
    resolutions = {
        code: one["resolution"] if isinstance(one, dict) else one for code, one in flags["resolutions"].items()
    }
    age = evaluations[0].age if evaluations else patient.age_on(patient.home_location.today())
    results = {
        **derived.of_intake(intake, age=age),
        **derived.of_red_flags(flags["answers"], resolutions),
        "baseline": None,
        "reevaluation": None,
        "change": None,
    }
    first, last = (evaluations[0], evaluations[-1]) if evaluations else (None, None)
    if first and _counts(first):
        results["baseline"] = _of(first)
    if len(evaluations) > 1 and _counts(last):
        results["reevaluation"] = _of(last)
        # What was begun and never signed is the baseline of nothing, as on the page that compares.
        results["change"] = derived.of_change(first.measures, last.measures) if first.is_in_force else None
    return results


def _counts(evaluation) -> bool:
    """Nothing follows from what was entered in error; what would follow from its values is unknown, never a guess."""
    return not evaluation.is_entered_in_error


def _of(evaluation):
    who = summary.who(evaluation)
    return derived.of_evaluation(
        Readings(evaluation.findings.all()), evaluation.measures, age=who.age, established=who.established
    )
