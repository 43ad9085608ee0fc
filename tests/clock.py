"""The visits of the tests are in January 2027 and the weeks after it, which must lie ahead whenever the tests run.

Once that time has come, the clock of the tests is held back to the weeks before, and runs on from there. Processes that
are started as a user would start them, and the journeys that walk through them, keep the real clock and make their own
days.
"""

from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

BEFORE = datetime(2026, 12, 1, 15, tzinfo=UTC)
_held = time_machine.travel(BEFORE, tick=True)
_is_held = datetime.now(UTC) > BEFORE


def hold() -> None:
    if _is_held:
        _held.start()


@contextmanager
def real():
    """The day that it is outside of the tests."""
    if _is_held:
        _held.stop()
    try:
        yield
    finally:
        hold()
