"""Somebody saved an evaluation after it was read: who and when, and both versions of what the two of them changed.

Nothing is merged here: whoever was second sees both and decides (page), or reads again and decides (API).
"""

from collections.abc import Mapping
from datetime import datetime

from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry, User
from evaluations import catalogue, field_words, finding_rows, measures
from evaluations.entry import checking
from evaluations.models import Evaluation

SAVES = (
    "evaluation.saved", "red_flags.answered", "intake.confirmed", "evaluation.stopped", "evaluation.tests_deferred",
)  # fmt: skip


def refusal(
    evaluation: Evaluation,
    *,
    by: User,
    findings: list | None = None,
    answers: Mapping | None = None,
    outcomes: Mapping | None = None,
    conclusion: str | None = None,
) -> RuleBroken:
    """The refusal of a save that `by` sent for an older version; only what differs from what is stored is named.

    Its `conflict` is {"version", "saved_by", "saved_at", "items": [{"name", "label", "yours", "theirs", "by", "at"}]}:
    `name` is the field of the save (`findings.3`, `red_flags.rf_ataxia`, `measures.hit6_total`, `conclusion`), `yours`
    and `theirs` in the shape of the API, instants with the offset of the evaluation's place.
    """
    last = _entries(evaluation).first()
    items = [
        *_findings(evaluation, findings),
        *_answers(evaluation, answers),
        *_scores(evaluation, outcomes),
        *_conclusion(evaluation, conclusion),
    ]
    broken = RuleBroken(
        f"{_who(last, by)} saved this evaluation{_when(last, evaluation)}, after it was read.",
        code="stale",
        fields={"version": f"It is now {evaluation.version}."},
    )
    broken.conflict = {
        "version": evaluation.version,
        "saved_by": last.by_whom if last else None,
        "saved_at": _instant(last.at, evaluation) if last else None,
        "items": items,
    }
    return broken


def _entries(evaluation):
    found = AuditEntry.objects.filter(about="evaluations.evaluation", about_id=evaluation.pk, action__in=SAVES)
    return found.order_by("-at", "-pk")


def _who(entry, by):
    if entry is None:
        return "Somebody"
    return "You yourself, in another tab or on another device," if entry.by_id == by.pk else entry.by_whom


def _when(entry, evaluation):
    return f" on {times.spoken(entry.at, evaluation.location.time_zone, year=False)}" if entry else ""


def _instant(at, evaluation):
    return times.local(at, evaluation.location.time_zone).isoformat()


def _item(evaluation, name, label, yours, theirs, who="", at=None):
    found = {"name": name, "label": label, "yours": yours, "theirs": theirs}
    return found | {"by": who or None, "at": _instant(at, evaluation) if at else None}


def _findings(evaluation, sent):
    stored = {row.key: row for row in evaluation.findings.select_related("by")} if sent else {}
    for position, raw in enumerate(sent if isinstance(sent, list) else ()):
        try:
            one = checking.check(raw)
        except checking.Wrong:
            continue  # it is named when it is sent for this version
        row = stored.get(one.key)
        theirs = finding_rows.as_sent(row) if row else None
        if theirs != finding_rows.as_sent(one):
            label = ", ".join([catalogue.FINDINGS[one.code].label, *map(field_words.spoken, one.qualifiers.values())])
            who, at = (str(row.by), row.at) if row else ("", None)
            yield _item(evaluation, f"findings.{position}", label, raw, theirs, who, at)


def _answers(evaluation, sent):
    if not isinstance(sent, Mapping):
        return
    asked = evaluation.red_flag_answers.filter(code__in=[str(code) for code in sent]).select_related("by")
    stored = {row.code: row for row in asked.order_by("at", "pk")}
    for code, row in stored.items():
        if row.answer != sent[code]:
            label = catalogue.RED_FLAGS[code].label
            yield _item(evaluation, f"red_flags.{code}", label, sent[code], row.answer, str(row.by or ""), row.at)


def _scores(evaluation, sent):
    for code, value in (sent if isinstance(sent, Mapping) else {}).items():
        theirs = evaluation.measures.get(code)
        if theirs != value:
            last = _last_about(evaluation, lambda detail, code=code: code in detail.get("measures", ()))
            yield _item(evaluation, f"measures.{str(code)[:40]}", measures.label_of(str(code)), value, theirs, *last)


def _conclusion(evaluation, sent):
    if sent is not None and sent != evaluation.conclusion:
        last = _last_about(evaluation, lambda detail: detail.get("conclusion"))
        yield _item(evaluation, "conclusion", "Conclusion", sent, evaluation.conclusion, *last)


def _last_about(evaluation, speaks):
    for entry in _entries(evaluation)[:200]:
        if speaks(entry.detail):
            return entry.by_whom, entry.at
    return "", None


def of(broken: RuleBroken | None, evaluation: Evaluation) -> list[dict]:
    """The conflict of a refused save for people: label, both versions, and who saved theirs at what time."""
    items = broken.conflict.get("items", ()) if broken else ()
    zone = evaluation.location.time_zone
    return [
        {
            "label": item["label"],
            "yours": _said(item["yours"]),
            "theirs": _said(item["theirs"]),
            "by": f"{item['by']}, {_clock(item['at'], zone)}" if item["by"] else "",
        }
        for item in items
    ]


def _clock(instant, zone):
    return f"{times.local(datetime.fromisoformat(instant), zone):%I:%M %p}".removeprefix("0")


def _said(value) -> str:
    match value:
        case None | "":
            return "nothing"
        case {"status": status, "reason": reason} if status != "assessed":
            return f"{status}: {reason}".removesuffix(": ").replace("_", " ")
        case {"value": _}:
            found = [_said(value["value"] if value["value"] is not None else value.get("readings"))]
            return " ".join([*found, *(value[name] for name in ("direction", "note") if value.get(name))])
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join("–" if one is None else _said(one) for one in value) or "none"
        case dict():
            return " – ".join(_said(one) for one in value.values() if one not in (None, ""))
        case _:
            return field_words.spoken(str(value))
