"""A finding recorded for both sides of the patient at once ("refused" needs no left and right), and one of one side.

The two exclude each other: what is told for one side takes the place of what stands for both, which stays for the other
side; what is told for both takes the place of the two. Pure.
"""

from collections.abc import Iterable, Iterator

from evaluations import catalogue
from evaluations.readings import SIDES, HasReading

OTHER = {"left": "right", "right": "left"}
Key = tuple[str, str]


def without_side(place: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in place.items() if name != "side"}


def key(one: HasReading) -> Key | None:
    """Where the finding of one side would stand for both; None when it is of no side."""
    return (one.code, catalogue.key_of(without_side(one.qualifiers))) if "side" in one.qualifiers else None


def keys_at(code: str, place: dict[str, str]) -> set[Key]:
    """Where something recorded at this place may stand: under its own key, or under that of both sides."""
    return {(code, catalogue.key_of(one)) for one in (place, without_side(place))}


def on_the_other_side(one: HasReading) -> dict[str, str]:
    """The same place on the other side."""
    return {**one.qualifiers, "side": OTHER[one.qualifiers["side"]]}


def replaced(findings: Iterable[HasReading]) -> Iterator[Key]:
    """The keys of what cannot stand beside these findings."""
    for one in findings:
        if catalogue.FINDINGS[one.code].side != "left_right":
            continue
        if both := key(one):
            yield both
        else:
            for side in SIDES:
                yield one.code, catalogue.key_of({**one.qualifiers, "side": side})
