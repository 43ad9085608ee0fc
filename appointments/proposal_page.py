"""A proposal as a page shows it, one row a visit, and what comes back from it. The rules check every time anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from appointments.availability import Slot
from appointments.proposals import Choice, Line, Question
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Practitioner

SKIP = "skip"


@dataclass(frozen=True)
class Option:
    """A time that can be chosen in a row; `is_other` when it is not with the practitioner that was wished for."""

    value: str
    slot: Slot
    is_chosen: bool
    is_other: bool


@dataclass(frozen=True)
class Row:
    line: Line
    options: list[Option]
    is_skipped: bool
    fault: str

    @property
    def key(self) -> str:
        return self.line.wish.key

    @property
    def name(self) -> str:
        return f"visit-{self.key}"

    @property
    def chosen(self) -> Option | None:
        return next((option for option in self.options if option.is_chosen), None)

    @property
    def is_settled(self) -> bool:
        """Nothing to look at: the wish is granted."""
        return bool(self.line.slot) and not self.line.why and not self.fault and not self.is_skipped


def rows(lines: Iterable[Line], *, chosen: Mapping[str, Choice] | None = None, faults=None) -> list[Row]:
    """With what is proposed chosen in each row; `chosen` and `faults` are by key, of a page that was sent back."""
    return [_row(line, (chosen or {}).get(line.wish.key), (faults or {}).get(line.wish.key, "")) for line in lines]


def summary(shown: Iterable[Row]) -> dict[str, int]:
    shown = list(shown)
    none = sum(row.line.slot is None for row in shown)
    wished = sum(bool(row.line.slot) and not row.line.why for row in shown)
    return {"visits": len(shown), "as_wished": wished, "elsewhere": len(shown) - none - wished, "none": none}


def read(data: Mapping[str, str], question: Question) -> dict[str, Choice]:
    """What was chosen, by the key of each wish. Raises RuleBroken naming the rows without a usable choice."""
    found = _parsed(data, question)
    faults = {}
    for wish in question.wishes:
        if wish.key not in found:
            given = data.get(f"visit-{wish.key}")
            faults[wish.key] = "That time was not offered." if given else "Choose a time, or leave the visit out."
    if faults:
        message = "Choose for every visit."
        raise RuleBroken(message, code="invalid", fields=faults, status=400)
    return found


def again(question: Question, data: Mapping[str, str], broken: RuleBroken | None = None) -> list[Row]:
    """The rows once more after a refusal: what was chosen stays, the refused rows are marked and proposed anew."""
    faults = broken.fields if broken else {}
    kept = {key: choice for key, choice in _parsed(data, question).items() if key not in faults}
    return rows(question.propose(kept), chosen=kept, faults=faults)


def gone(data: Mapping[str, str], question: Question) -> dict[str, Choice]:
    """Choices for visits that are not asked about any more."""
    known = {wish.key for wish in question.wishes}
    keys = (name.removeprefix("visit-") for name in data if name.startswith("visit-"))
    times_of = {key: _start(data[f"visit-{key}"]) for key in keys if key not in known}
    return {key: Choice(found[0]) for key, found in times_of.items() if found}


def value_of(starts_at: datetime, practitioner_id: int, elsewhere: str = "") -> str:
    """`elsewhere` is the slug of another location than the one that was wished for."""
    return f"{starts_at.isoformat()}|{practitioner_id}" + (f"|{elsewhere}" if elsewhere else "")


def _row(line: Line, chosen: Choice | None, fault: str) -> Row:
    is_skipped = line.slot is None if chosen is None else chosen.is_skipped
    wish = line.wish
    options = [
        Option(
            value=value_of(
                slot.starts_at, slot.practitioner.pk, slot.location.slug if slot.location != wish.location else ""
            ),
            slot=slot,
            is_chosen=slot is line.slot and not is_skipped,
            is_other=wish.practitioner not in (None, slot.practitioner) or slot.location != wish.location,
        )
        for slot in line.choices
    ]
    return Row(line, options, is_skipped, fault)


def _parsed(data, question) -> dict[str, Choice]:
    """The choices that can be read; the others are left out."""
    given = {wish.key: data.get(f"visit-{wish.key}", "") for wish in question.wishes}
    places = {(wish.key, place.slug): place for wish in question.wishes for place in wish.places}
    places |= {(wish.key, ""): None for wish in question.wishes}
    reason = data.get("skip_reason", "")[:200]
    timed = {key: _start(value) for key, value in given.items() if value != SKIP}
    people = Practitioner.objects.select_related("user").filter(is_active=True)
    people = people.in_bulk({found[1] for found in timed.values() if found})
    return {key: Choice(skip_reason=reason) for key, value in given.items() if value == SKIP} | {
        key: Choice(found[0], people[found[1]], location=places[key, found[2]])
        for key, found in timed.items()
        if found and found[1] in people and (key, found[2]) in places
    }


def _start(value: str) -> tuple[datetime, int, str] | None:
    """The start, the practitioner's id, and the slug of another location or nothing."""
    starts, _, rest = value.partition("|")
    practitioner, _, elsewhere = rest.partition("|")
    if not (practitioner.isascii() and practitioner.isdigit() and len(practitioner) < 19):
        return None
    try:
        starts_at = datetime.fromisoformat(starts)
        return (times.check_range(starts_at, "visit"), int(practitioner), elsewhere) if starts_at.tzinfo else None
    except (ValueError, OverflowError, RuleBroken):
        return None
