"""The parts of Atlas as processes of their own on the database of the test: workers, beats, senders, a Redis."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.smtp_sink import free_port

LEASE = 4  # seconds; a sender waits a second at most for the mail server


def database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


class Parts:
    """Started by name and ended with the test; `environment` may be changed before a start."""

    def __init__(self, folder, port):
        kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        self.environment = kept | {
            "ATLAS_VAR": str(folder), "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}?timeout=1", "BEAT_SECONDS": "1", "LOG_LEVEL": "WARNING",
            "MAIL_LEASE_SECONDS": str(LEASE), "MAIL_RETRY_SECONDS": ",".join(["1"] * 30),
        }  # fmt: skip
        self.folder, self.running = folder, []

    def start(self, *command, **options) -> subprocess.Popen:
        log = (self.folder / "log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *command], cwd=settings.ROOT, env=self.environment, stdout=log, stderr=log,
            start_new_session=True, **options,
        )  # fmt: skip
        log.close()
        self.running.append(process)
        return process

    def worker(self, *options, module=("celery",)) -> subprocess.Popen:
        pool = options or ("--pool=solo",)
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING")
        return self.start("-m", *module, "--app=clinic", "worker", *pool, *quiet, f"--hostname=w{len(self.running)}@h")

    def beat(self, *, module=("celery",)) -> subprocess.Popen:
        return self.start("-m", *module, "--app=clinic", "beat", "--pidfile=", "--loglevel=WARNING")

    def sender(self, *arguments) -> subprocess.Popen:
        """One sweep and no broker, for what is between database and mail server."""
        return self.start("-m", "tests.faults.sender", *arguments)

    def send_until(self, done, *, seconds=60) -> None:
        """One sweep after the other, as beat would wake them."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, self.log()[-3000:]
            self.sender().wait()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def end(self) -> None:
        for process in self.running:
            kill(process)


def kill(process: subprocess.Popen) -> None:
    """-9, with the children it has."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(what, seconds=60, *, parts=None):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(0.1)
    return pytest.fail(f"waited in vain\n{parts.log()[-3000:] if parts else ''}")


class Redis:
    """A server of the test's own on a free port, kept in memory only."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [shutil.which("redis-server"), "--port", str(self.port), "--save", "", "--appendonly", "no",
             "--dir", str(self.folder), "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
