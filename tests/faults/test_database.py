"""The database goes away while a mail is in the mail server's hands: what was taken is not forgotten."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.faults import owed
from tests.faults.parts import database_url
from tests.faults.sink import AFTER
from tests.smtp_sink import free_port

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
MAILS = 8


class Cluster:
    """A PostgreSQL of the test's own, with a copy of its database. PostgreSQL refuses to run as root."""

    def __init__(self):
        self.programs = Path(shutil.which("pg_ctl") or max(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))).parent
        self.folder = Path(tempfile.mkdtemp(prefix="atlas-pg-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/copy"
        self.whose = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.whose = {"user": "postgres", "group": "postgres"}

    def do(self, program, *arguments):
        command = [self._program(program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self.whose)

    def _program(self, name) -> str:
        return next(str(folder / name) for folder in (self.programs, Path("/usr/bin")) if (folder / name).exists())

    def start(self):
        self.do("initdb", "--pgdata", self.folder / "data", "--username=postgres", "--auth=trust", "--no-sync")
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder}"
        self.do("pg_ctl", "--pgdata", self.folder / "data", "--log", self.folder / "log", "-o", options, "-w", "start")

    def copy_rows(self):
        """The database of the test as it is now."""
        with psycopg.connect(self.url.replace("/copy", "/postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE copy")
        dump = subprocess.run([self._program("pg_dump"), database_url()], check=True, capture_output=True)
        subprocess.run([self._program("psql"), "--quiet", self.url], input=dump.stdout, check=True, capture_output=True)

    def crash_and_restart(self):
        """At once, without saying good-bye to anybody; what was committed is recovered from its log."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder}"
        data = self.folder / "data"
        self.do("pg_ctl", "--pgdata", data, "--mode=immediate", "stop")
        time.sleep(1)
        self.do("pg_ctl", "--pgdata", data, "--log", self.folder / "log", "-o", options, "-w", "start")

    def statuses(self):
        with psycopg.connect(self.url) as asked:
            return dict(Counter(row[0] for row in asked.execute("SELECT status FROM clinic_message")))

    def end(self):
        self.do("pg_ctl", "--pgdata", self.folder / "data", "--mode=immediate", "stop")
        shutil.rmtree(self.folder)


@pytest.fixture
def cluster():
    if connection.vendor != "postgresql":
        pytest.skip("The suite runs on SQLite, which nobody restarts.")
    one = Cluster()
    try:
        one.start()
        yield one
    finally:
        one.end()


def test_a_postgresql_that_crashes_while_a_mail_is_taken_is_waited_for(sink, parts, cluster):
    owed.book(MAILS)
    cluster.copy_rows()
    parts.environment["DATABASE_URL"] = cluster.url
    sink.when = lambda now, number: cluster.crash_and_restart if (now, number) == (AFTER, 4) else None
    parts.environment["EMAIL_URL"] = parts.environment["EMAIL_URL"].replace("timeout=1", "timeout=60")
    parts.environment["MAIL_LEASE_SECONDS"] = "240"

    assert parts.sender().wait() == 0, parts.log()[-2000:]
    assert (cluster.statuses(), sink.copies, sink.doubled) == ({"sent": MAILS}, MAILS, {})


def test_control_a_sender_that_does_not_wait_forgets_what_was_taken(sink, parts, cluster):
    owed.book(MAILS)
    cluster.copy_rows()
    parts.environment["DATABASE_URL"] = cluster.url
    sink.when = lambda now, number: cluster.crash_and_restart if (now, number) == (AFTER, 4) else None
    parts.environment["EMAIL_URL"] = parts.environment["EMAIL_URL"].replace("timeout=1", "timeout=60")
    parts.environment["MAIL_LEASE_SECONDS"] = "240"

    assert parts.sender("naive").wait() != 0
    parts.sender("naive").wait()
    assert (cluster.statuses(), len(sink.doubled)) == ({"sent": MAILS}, 1)  # and no row says so


def test_a_database_that_is_locked_for_a_while_is_waited_for(sink, parts):
    owed.book(MAILS)
    parts.environment["EMAIL_URL"] = parts.environment["EMAIL_URL"].replace("timeout=1", "timeout=60")
    parts.environment["MAIL_LEASE_SECONDS"] = "240"
    sink.when = lambda now, number: hold_the_rows if (now, number) == (AFTER, 4) else None

    assert parts.sender().wait() == 0, parts.log()[-2000:]
    assert (owed.statuses(), sink.copies, sink.doubled) == ({"sent": MAILS}, MAILS, {})


def hold_the_rows():
    """Two seconds, in which nobody else can write a message."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            time.sleep(2)
            held.execute("COMMIT")
        return
    with psycopg.connect(database_url()) as held:
        held.execute("LOCK TABLE clinic_message IN EXCLUSIVE MODE")
        time.sleep(2)
