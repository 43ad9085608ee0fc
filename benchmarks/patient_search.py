"""Patients by the beginning of a name: against raw SQL on one prefix column, against `icontains`, and as they grow.

The floor has a table of its own with nothing but the folded name and what a list shows, in the order of an index.
"""

from functools import partial

from django.db.models import Q

from benchmarks.rounds import Aim, equal, figure, race
from clinic.models import User
from clinic.text import folded
from patients import queries
from patients.models import Patient

TYPED, LIMIT = "smi", 20
TABLE = "bench_prefix"


def ask(user, typed=TYPED):
    return [one.pk for one in queries.search(user, typed, limit=LIMIT)]


def make_floor(database) -> None:
    """The prefix column, filled from the patients by a fold of its own; kept with the database."""
    collation = ' COLLATE "C"' if database.is_postgresql else ""
    with database.chosen(), database.wrapper.cursor() as cursor:
        if TABLE in database.wrapper.introspection.table_names(cursor):
            return
        cursor.execute(
            f"CREATE TABLE {TABLE} (id bigint, search text{collation}, given_name text, family_name text, "
            "birth_date text, phone text, email text, home text)"
        )
        rows = Patient.objects.values_list(
            "pk", "given_name", "family_name", "birth_date", "phone", "email", "home_location__name"
        )
        some = []
        for pk, given, family, born, phone, email, home in rows.iterator(10_000):
            search = f"{folded(family)} {folded(given)}"
            some.append((pk, search, given, family, born.isoformat(), str(phone), email, home))
        cursor.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join(['%s'] * 8)})", some)
        cursor.execute(f"CREATE INDEX {TABLE}_search ON {TABLE} (search, id)")
        cursor.execute(f"ANALYZE {TABLE}")


def floor(raw, is_postgresql, typed=TYPED):
    mark = "%s" if is_postgresql else "?"
    found = raw.execute(
        f"SELECT id, given_name, family_name, birth_date, phone, email, home FROM {TABLE} "
        f"WHERE search >= {mark} AND search < {mark} ORDER BY search, id LIMIT {LIMIT}",
        (typed, typed + queries.LAST),
    )
    return [row[0] for row in found.fetchall()]


def contains(typed=TYPED):
    """As it is usually written."""
    found = Patient.objects.filter(Q(family_name__icontains=typed) | Q(given_name__icontains=typed))
    return [one.pk for one in found.order_by("family_name", "given_name", "pk").select_related("home_location")[:LIMIT]]


def measure(run):
    for database in filter(None, (run.small, run.large)):
        make_floor(database)
        with database.chosen():
            count, owner, raw = Patient.objects.count(), _person("owner"), database.raw()
            contestants = {
                "ours": partial(ask, owner),
                "raw SQL": partial(floor, raw, database.is_postgresql),
            }
            equal("patient search", contestants)
            assert set(ask(owner)) <= set(
                Patient.objects.filter(Q(family_name__icontains=TYPED) | Q(given_name__icontains=TYPED)).values_list(
                    "pk", flat=True
                )
            )
            contestants["icontains"] = contains
            many = {"ours": 20, "raw SQL": 20}
            timed = race(contestants, rounds=run.rounds, times_a_round=many)
            aims = [Aim("ours", "raw SQL", at_most=5)]
            aims += [Aim("icontains", "ours", at_least=100)] if database is run.large else []
            yield figure(f"“{TYPED}” among {count:,} patients", run.engine, timed, aims)
            yield _others(run, count)
    if run.large:
        yield _growth(run)


def _others(run, count):
    """What else is typed, for the record: two words, one letter, a phone's end, a date; the desk of two clinics."""
    owner, desk = _person("owner"), _person("desk")
    contestants = {f"owner “{typed}”": lambda typed=typed: ask(owner, typed)
                   for typed in ("s", "smith jo", "garcía", "GARCIA", "0142", "1985-03", "")}  # fmt: skip
    contestants |= {f"desk “{typed}”": lambda typed=typed: ask(desk, typed) for typed in ("smi", "smith jo", "")}
    contestants["sounds like “smitth jon”"] = lambda: queries.sounding_like(owner, "smitth jon")
    assert ask(owner, "garcía") == ask(owner, "GARCIA") != []
    timed = race(contestants, rounds=run.rounds, times_a_round=5)
    return figure(f"other searches among {count:,} patients", run.engine, timed)


def _growth(run):
    with run.small.chosen():
        owner = _person("owner")

    def of(database):
        def question():
            with database.chosen():
                return ask(owner)

        return question

    names = ("10,000 patients", "1,000,000 patients")
    contestants = {names[0]: of(run.small), names[1]: of(run.large)}
    timed = race(contestants, rounds=run.rounds, times_a_round=20)
    return figure("growth of the patient search", run.engine, timed, [Aim(names[1], names[0], at_most=2)])


def _person(mailbox):
    return User.objects.get(email=f"{mailbox}@bench.test")
