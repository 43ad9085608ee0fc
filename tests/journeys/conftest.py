"""A real browser against the processes that `make run` starts: web, Celery worker and beat."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The journey is told on the embedded default, whatever the rest of the suite runs on.
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "BASE_URL", "ALLOWED_HOSTS", "HOST", "DEBUG", "SECRET_KEY")


@dataclass
class Clinic:
    """Atlas as it runs: its address, and the folder where its mails fall."""

    address: str
    mails: Path


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    _need_chromium()
    var = tmp_path_factory.mktemp("atlas")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE} | {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "ATLAS_VAR": str(var),
        "PORT": str(port),
        "NOTICE_GRACE_SECONDS": "1",  # the clinic waits three minutes and looks once a minute
        "BEAT_SECONDS": "2",
    }
    for command in (["migrate", "--verbosity=0"], ["demo", "--size=small"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)
    with (var / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until_up(f"http://127.0.0.1:{port}", running, var / "log")
            yield Clinic(f"http://127.0.0.1:{port}", var / "mail")
        finally:
            _stop(running)


@pytest.fixture
def browser():
    _need_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def _need_chromium():
    if CHROMIUM is None:
        reason = "No Chromium was found; install one or name it in CHROMIUM."
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def _wait_until_up(address, running, log, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 -- our own address
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"Atlas did not come up:\n{log.read_text()[-3000:]}")


def _stop(running, seconds=20):
    """As Ctrl-C does: it is part of the promise that everything stops."""
    running.send_signal(signal.SIGINT)
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        pytest.fail("Atlas did not stop on Ctrl-C.")
