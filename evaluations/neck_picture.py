"""The neck seen from behind, drawn for reports: where it was tender when pressed. Colours stand in the drawing itself.

A PDF takes no colours from a style sheet inside a drawing. Left and right are the patient's, as from behind.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from evaluations.readings import SIDES, Readings

LEVELS = ("C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3", "T4")
# What a patient calls them.
PLAIN = {"C": _("Neck {n} from the top"), "T": _("Upper back {n}")}
SKULL = _("Base of the skull")
SIDE_WORDS = {"left": _("left"), "right": _("right")}
GRADES = {1: _("mild"), 2: _("moderate"), 3: _("severe"), 4: _("very severe")}
_TOP, _STEP = 62, 19
_X = {"left": 92, "right": 148}


@dataclass(frozen=True)
class Spot:
    x: int
    y: int
    r: int
    grade: int
    words: str


@dataclass(frozen=True)
class Level:
    name: str
    y: int
    width: int

    @property
    def x(self):
        return 120 - self.width / 2


def levels() -> list[Level]:
    return [Level(name, _TOP + n * _STEP, 26 + n) for n, name in enumerate(LEVELS)]


def tender(readings: Readings) -> list[Spot]:
    """Every segment that was tender, left and right; nothing for what was not pressed."""
    found = []
    for n, name in enumerate(LEVELS):
        for side in SIDES:
            grade = readings.value("seg_tenderness", segment=name, side=side)
            if grade:
                words = f"{plain(name)} ({name}), {SIDE_WORDS[side]}: {GRADES[grade]}"
                found.append(Spot(_X[side], _TOP + n * _STEP, 3 + grade, grade, words))
    return found


def plain(name: str) -> str:
    """What a patient calls the level."""
    return str(SKULL) if name == "C0" else PLAIN[name[0]].format(n=name[1:])


def was_pressed(readings: Readings) -> bool:
    return bool(readings.all("seg_tenderness"))
