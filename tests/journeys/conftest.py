"""A real browser against the processes that `make run` starts: web, Celery worker and beat."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import clock
from tests.conftest import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds; on a busy machine everything takes its time
# The journey is told on the embedded default, whatever the rest of the suite runs on.
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "BASE_URL", "ALLOWED_HOSTS", "HOST", "DEBUG", "SECRET_KEY")


@pytest.fixture(autouse=True)
def today():
    """The servers of a journey know no other day than the real one."""
    with clock.real():
        yield


@dataclass
class Clinic:
    """Atlas as it runs: its address, and the folder where its mails fall."""

    address: str
    mails: Path
    environment: dict

    def python(self, code: str) -> str:
        """What the code prints, run beside the clinic with its database."""
        command = [sys.executable, "-c", f"import django; django.setup()\n{code}"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture(scope="session")
def clinic(tmp_path_factory):
    """One for all the journeys: each makes what it changes itself."""
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
            yield Clinic(f"http://127.0.0.1:{port}", var / "mail", environment)
        finally:
            _stop(running)


@pytest.fixture(scope="session")
def chromium():
    # While it is driven, a loop runs in this thread, for which Django would refuse the database to the other tests.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def browser(chromium):
    """Shared, since it takes long to start; the windows that a test opened are closed after it."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def opened(browser, live_server, client):
    """`opened(user, address)` is a page of somebody signed in, on the rows of the test itself.

    `page.mistakes` fills with what its scripts did wrong; further arguments go to the window.
    """

    def enter(user, address, **window):
        client.force_login(user)
        desk = {"width": 1366, "height": 768}
        context = browser.new_context(**{"viewport": desk, "base_url": live_server.url, **window})
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.mistakes = []
        page.on("pageerror", lambda error: page.mistakes.append(str(error)))
        page.goto(address)
        return page

    return enter


@pytest.fixture(scope="session")
def seats():
    """Who has signed in already: name → cookies."""
    return {}


@pytest.fixture
def signed_in(browser, clinic, seats):
    """`signed_in("desk")` gives a page of that person of the demo clinic; further arguments go to the window."""

    def enter(name, **window):
        window = {"viewport": {"width": 1366, "height": 768}, "storage_state": seats.get(name), **window}
        page = browser.new_context(**window).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(clinic.address)
        if name not in seats:
            page.get_by_label("Email").fill(f"{name}@demo.test")
            page.get_by_label("Password").first.fill("demo-clinic")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("navigation", name="Main").wait_for()
            seats[name] = page.context.storage_state()
        return page

    return enter


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
