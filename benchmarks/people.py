"""Invented patients by the million: American names as often as they are, one in twelve from elsewhere."""

from datetime import date, timedelta
from itertools import islice
from random import Random

from faker.providers.person.de_DE import Provider as German
from faker.providers.person.en_US import Provider as American
from faker.providers.person.es_MX import Provider as Mexican

from benchmarks.pouring import pour
from patients import search_terms
from patients.models import Patient, SearchTerm

SEED = 2
BATCH = 50_000
FOUND_BY = ("given_name", "family_name", "birth_date", "phone", "email")


def enrol(count: int, places) -> None:
    """Patients 1 to `count`, the n-th at home at location (n - 1) modulo 13, with what they are found by."""
    made = _invented(count, places)
    known = Patient.locations.through
    number = 0
    while batch := list(islice(made, BATCH)):
        pour(Patient, batch)
        pour(known, ({"patient_id": row["id"], "location_id": row["home_location_id"]} for row in batch))
        terms = []
        for row in batch:
            for term in sorted(search_terms.terms(**{name: row[name] for name in FOUND_BY})):
                number += 1
                terms.append({"id": number, "patient_id": row["id"], "term": term})
        pour(SearchTerm, terms)


def _invented(count, places):
    rng = Random(SEED)
    usual = (_weighted(American.first_names), _weighted(American.last_names))
    others = [(_weighted(p.first_names), _weighted(p.last_names)) for p in (Mexican, German)]
    for n in range(count):
        (given, given_weights), (family, family_weights) = rng.choice(others) if rng.random() < 1 / 12 else usual
        area, line = rng.randrange(200, 990), rng.randrange(10_000)
        yield {
            "id": n + 1,
            "given_name": rng.choices(given, cum_weights=given_weights)[0],
            "family_name": rng.choices(family, cum_weights=family_weights)[0],
            "birth_date": date(1935, 1, 1) + timedelta(days=rng.randrange(30_000)),
            "phone": f"+1{area}555{line:04}",
            "email": f"p{n + 1}@example.org",
            "home_location_id": places[n % len(places)].pk,
        }


def _weighted(names):
    """(names, cumulative weights); a plain list counts each name as often as it stands there."""
    pairs = names.items() if hasattr(names, "items") else ((name, 1) for name in names)
    kept, total, sums = [], 0.0, []
    for name, weight in pairs:
        total += weight
        kept.append(name)
        sums.append(total)
    return kept, sums
