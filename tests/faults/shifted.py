"""A module run under a clock that can be set: `python -m tests.faults.shifted celery …`.

The file `clock` in ATLAS_VAR says by how many seconds it differs from the right one; it is looked at all the time.
"""

import os
import runpy
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

CLOCK = Path(os.environ["ATLAS_VAR"]) / "clock"
BEGUN, BEGUN_AT = time.monotonic(), datetime.now(UTC)
right_monotonic, right_sleep = time.monotonic, time.sleep


def offset() -> float:
    try:
        return float(CLOCK.read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def wanted(by: float) -> datetime:
    return BEGUN_AT + timedelta(seconds=right_monotonic() - BEGUN + by)


def watch(traveller, by):
    while True:
        right_sleep(0.05)
        if (now := offset()) != by:
            by = now
            traveller.move_to(wanted(by))


if __name__ == "__main__":
    first = offset()
    traveller = time_machine.travel(wanted(first), tick=True).start()
    threading.Thread(target=watch, args=(traveller, first), daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__")
