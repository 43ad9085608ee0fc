"""A proposal as a page shows it, one row a visit, and what comes back from it. The rules check every time anew."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from django.http import QueryDict

from appointments import overriding
from appointments.availability import Slot
from appointments.recurring.proposals import Choice, Line, Question
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from locations.models import Practitioner

SKIP, AGAINST = "skip", "against"


@dataclass(frozen=True)
class Option:
    """A time that can be chosen in a row; `is_other` when it is not with the practitioner that was wished for,
    `against` what of the rules it goes against with a reason.
    """

    value: str
    slot: Slot
    is_chosen: bool
    is_other: bool
    against: str = ""


@dataclass(frozen=True)
class Row:
    line: Line
    options: list[Option]
    is_skipped: bool
    fault: str
    is_more: bool  # somebody asked for further times
    seen: int | None  # the sequence of the visit that moves, as it was when its time was chosen

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


def rows(
    lines: Iterable[Line],
    *,
    by: User,
    chosen: Mapping[str, Choice] | None = None,
    faults=None,
    more: Collection[str] = (),
    seen: Mapping[str, int | None] | None = None,
) -> list[Row]:
    """With what is proposed chosen in each row. `chosen`, `faults` and what was `seen` are by key, of a page that was
    sent back. What goes against the rules is there for whom may override them.
    """
    chosen, faults, seen = chosen or {}, faults or {}, seen or {}
    keyed = ((line.wish.key, line) for line in offered(lines, by))
    return [
        _row(line, chosen.get(key), faults.get(key, ""), is_more=key in more, seen=seen.get(key, _sequence(line)))
        for key, line in keyed
    ]


def offered(lines: Iterable[Line], by: User) -> list[Line]:
    """As they are for this person: who may not override is not shown what could be."""
    return [
        replace(line, against=None)
        if line.against and not overriding.may_override(by, line.against.slot.practitioner, line.against.slot.location)
        else line
        for line in lines
    ]


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


def again(question: Question, data: QueryDict, broken: RuleBroken | None = None, *, by: User) -> list[Row]:
    """The rows once more, after a refusal or because further times are asked for: what was chosen stays, the refused
    rows are marked and proposed anew."""
    faults = broken.fields if broken else {}
    kept = {
        key: choice
        for key, choice in _parsed(data, question).items()
        if key not in faults and not (choice.is_skipped and key in asking(data))
    }
    # A visit that changed meanwhile stays refused until the page has shown it as it is now.
    shown = faults if broken and broken.status == HTTPStatus.CONFLICT else ()
    old = seen(data, [wish.key for wish in question.wishes if wish.key not in shown and f"seen-{wish.key}" in data])
    return rows(question.propose(kept), by=by, chosen=kept, faults=faults, more=question.more, seen=old)


def seen(data: Mapping[str, str], keys: Iterable[str]) -> dict[str, int | None]:
    """By key the sequence that each visit had on the page, for the rules to compare; None where it was owed."""
    return {key: _whole(data.get(f"seen-{key}", "")) for key in keys}


def asking(data: QueryDict) -> list[str]:
    """The keys of the rows for which further times are asked now, instead of acting on the page."""
    return data.getlist("further")


def with_more(question: Question, data: QueryDict) -> Question:
    """With further times for the rows that asked, now or before."""
    return replace(question, more={*data.getlist("more"), *asking(data)})


def gone(data: Mapping[str, str], question: Question) -> dict[str, Choice]:
    """Choices for visits that are not asked about any more."""
    known = {wish.key for wish in question.wishes}
    keys = (name.removeprefix("visit-") for name in data if name.startswith("visit-"))
    times_of = {key: _start(data[f"visit-{key}"]) for key in keys if key not in known}
    return {key: Choice(found[0]) for key, found in times_of.items() if found}


def overrides(shown: Iterable[Row], data: Mapping[str, str], broken: RuleBroken | None = None) -> dict[str, object]:
    """For the page: whether a reason to override is asked for at all, the one that was given, and what is wrong."""
    return {
        "asks_override": any(option.against for row in shown for option in row.options),
        "override_reason": data.get(overriding.FIELD, "")[: overriding.MOST],
        "override_fault": broken.fields.get(overriding.FIELD, "") if broken else "",
    }


def value_of(starts_at: datetime, practitioner_id: int, elsewhere: str = "", *, against: bool = False) -> str:
    """`elsewhere` is the slug of another location than the one that was wished for."""
    parts = starts_at.isoformat(), f"{practitioner_id}", elsewhere, AGAINST if against else ""
    return "|".join(parts).rstrip("|")


def _row(line: Line, chosen: Choice | None, fault: str, *, is_more: bool, seen: int | None) -> Row:
    is_skipped = line.slot is None if chosen is None else chosen.is_skipped
    wish = line.wish
    against = line.against.slot if line.against else None
    slots = [*line.choices, against] if against and against is not line.slot else line.choices
    options = [
        Option(
            value=value_of(
                slot.starts_at, slot.practitioner.pk, slot.location.slug if slot.location != wish.location else "",
                against=slot is against,
            ),
            slot=slot,
            is_chosen=slot is line.slot and not is_skipped,
            is_other=wish.practitioner not in (None, slot.practitioner) or slot.location != wish.location,
            against=str(line.against) if slot is against else "",
        )
        for slot in slots
    ]  # fmt: skip
    return Row(line, options, is_skipped, fault, is_more, seen)


def _sequence(line: Line) -> int | None:
    return line.wish.moving and line.wish.moving.sequence


def _whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _parsed(data, question) -> dict[str, Choice]:
    """The choices that can be read; the others are left out."""
    given = {wish.key: data.get(f"visit-{wish.key}", "") for wish in question.wishes}
    places = {(wish.key, place.slug): place for wish in question.wishes for place in wish.places}
    places |= {(wish.key, ""): None for wish in question.wishes}
    reason, why = data.get("skip_reason", "")[:200], data.get(overriding.FIELD, "").strip()
    timed = {key: _start(value) for key, value in given.items() if value != SKIP}
    people = Practitioner.objects.select_related("user").filter(is_active=True)
    people = people.in_bulk({found[1] for found in timed.values() if found})
    return {key: Choice(skip_reason=reason) for key, value in given.items() if value == SKIP} | {
        key: Choice(found[0], people[found[1]], location=places[key, found[2]],
                    override_reason=why if found[3] else None)
        for key, found in timed.items()
        if found and found[1] in people and (key, found[2]) in places
    }  # fmt: skip


def _start(value: str) -> tuple[datetime, int, str, bool] | None:
    """The start, the practitioner's id, the slug of another location or nothing, and whether against the rules."""
    starts, practitioner, elsewhere, against = (*value.split("|", 3), "", "", "")[:4]
    if not (practitioner.isascii() and practitioner.isdigit() and len(practitioner) < 19):
        return None
    try:
        starts_at = datetime.fromisoformat(starts)
        if starts_at.tzinfo is None:
            return None
        return times.check_range(starts_at, "visit"), int(practitioner), elsewhere, against == AGAINST
    except (ValueError, OverflowError, RuleBroken):
        return None
