"""Whether visits of a series may be placed now: asked of the series and of the packages above. Reads only."""

from collections.abc import Callable

from appointments.models import Series
from clinic.errors import RuleBroken

_gates: list[Callable[..., RuleBroken | None]] = []


def add(gate: Callable[..., RuleBroken | None]) -> None:
    """Packages above say, from `apps.py`, why the visits of a series may not be placed now; `for_checkpoint` asks
    about its checkpoint alone.
    """
    _gates.append(gate)


def refusal(series: Series, *, for_checkpoint: bool = False) -> RuleBroken | None:
    """Why nothing of the series, or not even its checkpoint, may be placed now, or None."""
    if not series.is_open:
        return RuleBroken("The series is closed: no more visits are placed.", code="wrong_status")
    return next((refused for gate in _gates if (refused := gate(series, for_checkpoint=for_checkpoint))), None)
