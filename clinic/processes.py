"""Child processes that belong together: restarted when one dies, stopped together, never left behind.

For trying Atlas on one machine. In production each process is kept by the machine's own supervisor
(docs/operations.md).
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
LONGEST_PAUSE = 30  # seconds before another attempt
STEADY_AFTER = 60  # seconds alive after which a death is a first death again
PATIENCE = 15  # seconds a child gets to end by itself


def _die_with(parent: int) -> None:
    """Runs in the child: Linux ends it when the parent ends, even by `kill -9`."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


class Child:
    """One command that should always run."""

    def __init__(self, name: str, command: list[str]):
        self.name, self.command = name, command
        self.process: subprocess.Popen | None = None
        self.started, self.pause, self.again_at = 0.0, 1, 0.0

    def start(self) -> None:
        parent = os.getpid()
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 -- our own commands
            self.command,
            # A session of its own: Ctrl-C reaches only the parent, which then stops all in order.
            start_new_session=True,
            preexec_fn=(lambda: _die_with(parent)) if sys.platform == "linux" else None,
        )

    def look(self) -> None:
        """Notice a death, wait a while, start again; the pause doubles as long as it does not stay up."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.again_at:
                self.start()
        elif self.process.poll() is not None:
            self.pause = 1 if now - self.started > STEADY_AFTER else min(self.pause * 2, LONGEST_PAUSE)
            self.again_at = now + self.pause
            log.warning("%s ended (%s); starting it again in %s s", self.name, self.process.returncode, self.pause)
            self.process = None

    def stop(self, sign=signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(sign)


def supervise(children: list[Child], *, ready: Callable[[], bool], announce: Callable[[], None]) -> None:
    """Run the children until SIGINT or SIGTERM; `announce` once, as soon as `ready` answers yes."""
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    announced = False
    try:
        while not stop.is_set():
            for child in children:
                child.look()
            if not announced and ready():
                announced = True
                announce()
            stop.wait(0.3)
    finally:
        end(children)


def end(children: list[Child]) -> None:
    """Ask all at once, wait for each, kill what does not listen."""
    for child in children:
        child.stop()
    deadline = time.monotonic() + PATIENCE
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.stop(signal.SIGKILL)
            child.process.wait()
