"""An evaluation laid out to be read: every finding by section, in the words of the catalogue, with what stands out."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from evaluations import catalogue, field_words, finding_rows
from evaluations.entry import both_sides, normals
from evaluations.models import Evaluation, Finding
from evaluations.readings import HasReading, Readings
from evaluations.safety import red_flags

_ORDER = list(catalogue.FINDINGS)


@dataclass(frozen=True)
class Line:
    """One finding as words."""

    label: str
    place: str
    shown: str
    unit: str
    status: str
    stands_out: bool
    finding: Finding


def unit_of(entry: catalogue.Entry) -> str:
    return normals.UNITS.get(entry.unit, entry.unit)


def shown(finding: Finding) -> str:
    """The value in words and digits, without its unit; empty unless assessed."""
    value = finding.value
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal() | int():
            direction = finding.direction
            return f"{value} {direction}" if direction and direction != "none" else str(value)
        case list():
            return ", ".join(field_words.spoken(v) for v in value) or "none"
        case "":
            return "no listing"
        case _:
            return value if finding.entry.kind == "listing" else field_words.spoken(value)


def place_of(finding: Finding) -> str:
    names = [finding.qualifiers[n] for n in finding.entry.allowed if n in finding.qualifiers]
    return ", ".join(field_words.spoken(name) for name in names)


def who(evaluation: Evaluation) -> normals.Who:
    return normals.Who(evaluation.age, established=evaluation.kind != Evaluation.Kind.INITIAL)


def stands_out(finding: Finding, readings: Readings, who: normals.Who) -> bool:
    """Departs from its norm, by itself or from the other side."""
    return bool(normals.stands_out(finding.entry, finding.qualifiers, finding.value, readings, who))


def lines(findings: list[Finding], who: normals.Who) -> list[tuple[str, list[Line]]]:
    """(section label, its lines), in the order of the catalogue."""
    by_section, readings = {}, Readings(findings)
    for finding in sorted(findings, key=lambda f: (_ORDER.index(f.code), f.pk)):
        by_section.setdefault(finding.entry.section, []).append(
            Line(
                label=finding.entry.label,
                place=place_of(finding),
                shown=shown(finding),
                unit=unit_of(finding.entry) if finding.status == "assessed" else "",
                status=finding.get_status_display(),
                stands_out=stands_out(finding, readings, who),
                finding=finding,
            )
        )
    return [(section, by_section[section]) for section in catalogue.SECTIONS if section in by_section]


def blank(findings: Iterable[HasReading]) -> dict[str, list[str]]:
    """What has no status at all, by section: the finding, with its places where some of them have one."""
    recorded, found = {one.key for one in findings}, {code: [] for code in catalogue.SECTIONS}
    for entry in catalogue.FINDINGS.values():
        places = entry.places()
        empty = [place for place in places if not recorded & both_sides.keys_at(entry.code, place)]
        if empty:
            where = ", ".join(_where(places, empty, list(entry.allowed)))
            found[entry.section].append(f"{entry.label} ({where})" if where else entry.label)
    return found


def _where(places, empty, names) -> list[str]:
    """The empty ones of these places in as few words as tell them: `left` for a side of which all is empty."""
    if all(place in empty for place in places):
        return [""]
    name, *others = names
    said = []
    for value in dict.fromkeys(place[name] for place in places):
        inside = [place for place in places if place[name] == value]
        if any(place in empty for place in inside):
            said += [f"{field_words.spoken(value)} {more}".strip() for more in _where(inside, empty, others)]
    return said


def of(evaluation: Evaluation) -> dict:
    """For the API: sections with their findings as sent, and the red flags."""
    answers = red_flags.answers_of(evaluation)
    return {
        "id": evaluation.pk,
        "status": evaluation.standing,
        "version": evaluation.version,
        "sections": [
            {
                "section": section,
                "label": catalogue.SECTIONS[section],
                "findings": [
                    {
                        **finding_rows.as_sent(line.finding),
                        "label": line.label,
                        "unit": line.finding.entry.unit,
                        "normal": normals.words(line.finding.entry),
                        "stands_out": line.stands_out,
                    }
                    for line in found
                ],
            }
            for section, found in lines(list(evaluation.findings.all()), who(evaluation))
        ],
        "red_flags": answers,
        "red_flags_unanswered": [code for code in catalogue.RED_FLAGS if code not in answers],
        "open_red_flags": [
            {"code": e.code, "label": e.label, "tier": e.tier, "answer": e.answer}
            for e in red_flags.open_events(evaluation.patient)
        ],
        "measures": evaluation.measures,
        "conclusion": evaluation.conclusion,
    }
