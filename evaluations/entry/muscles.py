"""Our own drawing of the muscles of head and neck, from behind and from the front. Pure numbers.

Left and right are the patient's: from behind the left is on the left, from the front it is on the right. Units are
those of the SVG's view box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluations import catalogue, field_words

WIDTH, HEIGHT, MIDDLE = 130, 190, 65
MUSCLES = catalogue.FINDINGS["muscle_tone"].qualifiers["muscle"]
# The corners of each muscle, as far from the middle and from the top; they are rounded off. In the order of painting:
# what lies deeper first.
_BEHIND = {
    "semispinalis": ((3, 76), (14, 74), (12, 100), (11, 150), (3, 156)),
    "splenius_capitis": ((17, 74), (30, 72), (30, 80), (22, 100), (14, 140), (13, 112)),
    "suboccipital": ((2, 62), (24, 60), (22, 73), (2, 75)),
    "levator_scapulae": ((25, 98), (32, 96), (36, 118), (46, 148), (34, 150), (27, 124)),
    "upper_trapezius": ((30, 106), (36, 112), (62, 126), (64, 136), (50, 140), (40, 130), (34, 120)),
}
_FRONT = {
    "temporalis": ((20, 26), (32, 22), (39, 34), (36, 52), (30, 52), (22, 44)),
    "masseter": ((22, 62), (32, 60), (34, 72), (29, 90), (21, 86)),
    "scalenes": ((26, 110), (32, 106), (44, 142), (26, 146)),
    "scm": ((27, 96), (35, 88), (36, 98), (20, 138), (6, 156), (7, 148), (16, 128)),
}
_VIEWS = (("behind", "from behind", -1, _BEHIND), ("front", "from the front", 1, _FRONT))


@dataclass(frozen=True)
class Belly:
    """One muscle on one side: its outline, and where its grade is written."""

    muscle: str
    side: str
    name: str
    outline: str
    x: float
    y: float


@dataclass(frozen=True)
class View:
    code: str
    words: str
    left_x: int
    right_x: int
    bellies: tuple[Belly, ...]
    width: int = WIDTH
    height: int = HEIGHT


def views() -> tuple[View, ...]:
    return _DRAWN


def _belly(muscle, corners, side, sign) -> Belly:
    points = [(MIDDLE + sign * x, y) for x, y in corners]
    x, y = (sum(one) / len(points) for one in zip(*points, strict=True))
    return Belly(muscle, side, field_words.spoken(muscle), _rounded(points), round(x, 1), round(y, 1))


def _rounded(points: Sequence[tuple[float, float]]) -> str:
    """A closed curve that bends at each corner and passes half-way between two."""
    halves = [
        ((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True)
    ]
    curve = "".join(
        f" Q{x:g} {y:g} {to_x:g} {to_y:g}"
        for (x, y), (to_x, to_y) in zip([*points[1:], points[0]], [*halves[1:], halves[0]], strict=True)
    )
    return f"M{halves[0][0]:g} {halves[0][1]:g}{curve} Z"


def _view(code, words, left, corners) -> View:
    bellies = tuple(
        _belly(muscle, at, side, left if side == "left" else -left)
        for muscle, at in corners.items()
        for side in ("left", "right")
    )
    return View(code, words, *((10, WIDTH - 18) if left < 0 else (WIDTH - 18, 10)), bellies)


_DRAWN = tuple(_view(*one) for one in _VIEWS)
