"""Our own drawing of head and spine, C0 to T4, seen from behind: the patient's left is on the left. Pure numbers.

Each segment has a left and a right half that can be chosen. Units are those of the SVG's view box.
"""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from evaluations import catalogue
from evaluations.entry import form_rows

WIDTH, HEIGHT = 260, 480
MIDDLE = 130
SEGMENTS = catalogue.FINDINGS["seg_tenderness"].qualifiers["segment"]
# Half the breadth of the body and of the transverse processes, and the height of each segment.
_SHAPES = {
    "C0": (44, 52, 30),
    "C1": (26, 62, 24),
    "C2": (25, 44, 27),
    "C3": (24, 42, 24),
    "C4": (24, 43, 24),
    "C5": (25, 44, 24),
    "C6": (26, 46, 24),
    "C7": (27, 52, 26),
    "T1": (27, 60, 28),
    "T2": (26, 57, 28),
    "T3": (25, 54, 28),
    "T4": (24, 52, 28),
}
_TOP, _GAP = 122, 3


@dataclass(frozen=True)
class Half:
    """One side of a segment: its outline, and where its mark and grade are written."""

    segment: str
    side: str
    outline: str
    x: float
    y: float


@dataclass(frozen=True)
class Level:
    segment: str
    y: float
    spinous: str
    halves: tuple[Half, Half]


@dataclass(frozen=True)
class Drawing:
    levels: tuple[Level, ...]
    width: int = WIDTH
    height: int = HEIGHT
    tones: tuple[str, ...] = tuple(map(str, range(-1, 4)))

    @property
    def plays(self) -> SafeString:
        return form_rows.options_of("seg_fixation")


def drawing() -> Drawing:
    return _DRAWING


def _level(segment, top) -> Level:
    _, wing, height = _SHAPES[segment]
    middle = top + height / 2
    halves = tuple(
        Half(segment, side, _outline(segment, sign, top), MIDDLE + sign * (wing + 16), middle)
        for side, sign in (("left", -1), ("right", 1))
    )
    return Level(segment, middle, _spinous(segment, top, height), halves)


def _outline(segment, sign, top) -> str:
    """Body and transverse process of one side as a path; `sign` is -1 for the left."""
    body, wing, height = _SHAPES[segment]

    def at(x, y):
        return f"{MIDDLE + sign * x:g} {top + y:g}"

    if segment == "C0":  # the condyle and the edge of the occiput
        return (
            f"M{at(1.5, 6)} C{at(20, 0)} {at(wing - 8, -2)} {at(wing, 4)} C{at(wing + 2, 16)} {at(body - 6, 22)}"
            f" {at(body - 14, 28)} C{at(18, 32)} {at(10, 24)} {at(1.5, 22)} Z"
        )
    low = height * 0.42
    return (
        f"M{at(1.5, 2)} L{at(body * 0.62, 0)} C{at(body, 0)} {at(body, low - 6)} {at(body + 2, low - 5)}"
        f" C{at(wing - 8, low - 8)} {at(wing, low - 5)} {at(wing, low)} C{at(wing, low + 6)} {at(wing - 8, low + 8)}"
        f" {at(body + 2, low + 7)} C{at(body - 1, height - 2)} {at(body * 0.7, height)} {at(body * 0.5, height)}"
        f" L{at(1.5, height - 3)} Z"
    )


def _spinous(segment, top, height) -> str:
    """The process in the middle; the atlas has none, C2 to C6 are forked."""
    if segment in {"C0", "C1"}:
        return ""
    y = top + height * 0.3
    if segment[0] == "C" and segment != "C7":
        return f"M{MIDDLE} {y:g} l-5 {height * 0.66:g} l5 -4 l5 4 Z"
    return f"M{MIDDLE - 4} {y:g} L{MIDDLE} {y + height * 0.85:g} L{MIDDLE + 4} {y:g} Z"


def _build() -> Drawing:
    levels, top = [], _TOP
    for segment in SEGMENTS:
        levels.append(_level(segment, top))
        top += _SHAPES[segment][2] + _GAP
    return Drawing(tuple(levels))


_DRAWING = _build()
