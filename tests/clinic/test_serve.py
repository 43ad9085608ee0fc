"""What `make run` starts, as real processes: a part that dies comes back, and Ctrl-C leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("waitress", "worker", "beat")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the process table in /proc"),
]


def children(parent):
    """{part: pid} of the running children of a process, known by a word of their command."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            ancestor = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if ancestor == parent:
            found |= {part: int(entry.name) for part in PARTS if any(part in word for word in words)}
    return found


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(0.2)
    pytest.fail("waited in vain")


@pytest.fixture
def served(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "HOST"}}
    environment = kept | {"ATLAS_VAR": str(tmp_path), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "clinic.settings"}
    for command in (["migrate", "--verbosity=0"], ["demo", "--size=small"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    running.address = f"http://127.0.0.1:{port}/healthz"
    yield running
    if running.poll() is None:
        running.kill()
        running.wait()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=2) as page:  # noqa: S310 -- our own address
            return page.status == 200
    except OSError:
        return False


def test_a_dead_part_comes_back_and_ctrl_c_stops_all(served):
    first = wait_for(lambda: len(found := children(served.pid)) == len(PARTS) and found)
    wait_for(lambda: answers(served.address))

    for pid in first.values():
        os.kill(pid, signal.SIGKILL)

    def all_new():
        found = children(served.pid)
        return len(found) == len(PARTS) and not set(found.values()) & set(first.values()) and found

    second = wait_for(all_new)
    wait_for(lambda: answers(served.address))

    served.send_signal(signal.SIGINT)
    assert served.wait(30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in second.values())
