"""Databases of our own, made for one run and dropped after it; on PostgreSQL beside the one that DATABASE_URL names.

`database.chosen()` makes one of them Django's default, so that two sizes are measured in turns by one process.
"""

import shutil
import sqlite3
import sys
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.utils import load_backend

KEPT = "bench_made_of"  # the table that says what a kept database was made of


def address(url: str, folder: Path, label: str) -> str:
    """The address of the scratch database called `label`."""
    if not url:
        return f"sqlite:///{folder / f'bench-{label}.sqlite3'}"
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}_bench_{label}"))


class Database:
    """One scratch database at `url`."""

    def __init__(self, url: str):
        self.url, self.is_postgresql = url, url.startswith("postgres")
        self.name = urlsplit(url).path.lstrip("/") if self.is_postgresql else url.removeprefix("sqlite:///")
        settings = deepcopy(connections["default"].settings_dict)
        settings["NAME"] = self.name
        self.wrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")

    def copy(self, label: str) -> "Database":
        """Another database with the same rows, for a measurement that stores what would be in others' way.

        Before anything else reads this one: PostgreSQL copies only what nobody is connected to.
        """
        stem, bench, rest = self.url.rpartition("bench")
        made = Database(f"{stem}{bench}{rest[0]}{label}{'' if self.is_postgresql else '.sqlite3'}")
        made.drop()
        self.wrapper.close()
        if self.is_postgresql:
            self._as_admin(f'CREATE DATABASE "{made.name}" TEMPLATE "{self.name}"')
        else:
            with closing(sqlite3.connect(self.name)) as source:
                source.execute("VACUUM INTO ?", [made.name])
        return made

    @contextmanager
    def chosen(self):
        before, connections["default"] = connections["default"], self.wrapper
        try:
            yield self
        finally:
            connections["default"] = before

    def raw(self):
        """A connection of the driver itself, in autocommit, for the floors."""
        if not self.is_postgresql:
            connection = sqlite3.connect(self.name, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            return connection
        import psycopg

        return psycopg.connect(self.url, autocommit=True)

    def make(self, fill, made_of: str) -> None:
        """Migrate and fill it, unless a kept one was made of the same."""
        made_of += f" {self._migrations()}"
        if self._made_of() == made_of:
            return
        self.drop()
        if self.is_postgresql:
            self._as_admin(f'CREATE DATABASE "{self.name}"')
        with self.chosen():
            call_command("migrate", interactive=False, verbosity=0)
            fill()
            with self.wrapper.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE" if self.is_postgresql else "ANALYZE")
                cursor.execute(f"CREATE TABLE {KEPT} (made_of text)")
                cursor.execute(f"INSERT INTO {KEPT} VALUES (%s)", [made_of])

    def drop(self) -> None:
        self.wrapper.close()
        if self.is_postgresql:
            self._as_admin(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        else:
            for end in ("", "-wal", "-shm"):
                Path(self.name + end).unlink(missing_ok=True)

    def _migrations(self) -> list[str]:
        """The newest migration of each package: a kept database of an older schema is made anew."""
        return sorted(map(str, MigrationLoader(None).graph.leaf_nodes()))

    def _made_of(self) -> str | None:
        if not self.is_postgresql and not Path(self.name).exists():
            return None
        try:
            with self.wrapper.cursor() as cursor:
                cursor.execute(f"SELECT made_of FROM {KEPT}")
                return cursor.fetchone()[0]
        except self.wrapper.Database.Error:
            return None
        except Exception as error:  # Django's wrapping of "no such database" and "no such table"
            if isinstance(error.__cause__, self.wrapper.Database.Error):
                return None
            raise
        finally:
            self.wrapper.close()

    def _as_admin(self, sql: str) -> None:
        import psycopg

        parts = urlsplit(self.url)
        with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as admin:
            admin.execute(sql)


@dataclass
class Run:
    """One run on one engine: `small` is what the measurements ask, `large` stores more of the same."""

    engine: str
    rounds: int
    folder: Path
    small: Database
    large: Database | None = None
    is_tiny: bool = False

    @classmethod
    def prepare(cls, url: str, folder: Path, *, rounds: int, label: str, large: bool) -> "Run":
        from benchmarks import clinics  # models: only once Django is ready

        sizes = {label: getattr(clinics, label.upper()), **({"large": clinics.LARGE} if large else {})}
        made = {}
        for name, size in sizes.items():
            print(f"Making the {name} clinics …", file=sys.stderr)
            made[name] = Database(address(url, folder, name))
            made[name].make(lambda size=size: clinics.fill(size), f"{size} {clinics.first_day()} {clinics.EDITION}")
        engine = "PostgreSQL" if url else "SQLite"
        return cls(engine, rounds, folder, made[label], made.get("large"), label == "tiny")

    def end(self, *, keep: bool) -> None:
        for database in filter(None, (self.small, self.large)):
            database.wrapper.close() if keep else database.drop()
        if not keep:
            shutil.rmtree(self.folder)
