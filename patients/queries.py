"""Finding patients: by the beginnings of names, a birth date, a phone number or its last digits, a mail address.

One range of an index, in its order, read no further than is asked for; written out, because the search answers while
somebody types.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db.models import Q

from clinic import plain_sql
from clinic.errors import RuleBroken
from clinic.text import folded
from locations import access
from patients import search_terms
from patients.models import Patient, SearchTerm

LAST = "\U0010ffff"  # behind everything that begins like a word
A_FEW = 20
HEARD = 300  # names of one sound that are compared by their letters


class Found(NamedTuple):
    """A patient as a list shows them; everything else is read when one is chosen."""

    pk: int
    given_name: str
    family_name: str
    birth_date: date
    phone: str
    email: str
    home_location: str

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def spoken_phone(self) -> str:
        """As it is read aloud in the country of the clinics; others as they are dialled."""
        number = search_terms.digits(self.phone)
        is_ours = self.phone.startswith("+1") and len(number) == 10
        return f"({number[:3]}) {number[3:6]}-{number[6:]}" if is_ours else self.phone


def search(
    user, text: str, *, limit: int = A_FEW, after: int | None = None, action: str = "patient.search"
) -> list[Found]:
    """Patients in the user's scope of whom each typed word begins a name, birth date, phone or mail; nothing finds all.

    In the order of the most telling word, then of the name. `after` is the last patient of the page before. Raises
    RuleBroken (400) for a search too long to be one.
    """
    asked = _asked(text)
    return _rows(user, action, asked, limit, after) if asked else []


def sounding_like(user, text: str, *, limit: int = A_FEW, action: str = "patient.search") -> list[Found]:
    """For when nobody was found: people whose name is said like what was typed, the most alike first."""
    names = [word for word in _asked(text) if search_terms.is_name(word) and word != search_terms.ANYBODY]
    heard = search_terms.sound(names[0]) if names else ""
    if len(heard) < 3:  # one consonant is half the town
        return []
    likely = _rows(user, action, [heard], HEARD, None)
    ranked = sorted((-search_terms.likeness(names, one.name), one.family_name, one.pk, one) for one in likely)
    return [one for likeness, _, _, one in ranked[:limit] if -likeness >= search_terms.ALIKE]


def _asked(text: str) -> list[str]:
    if "\x00" in text:
        return []  # PostgreSQL cannot even compare it
    asked = search_terms.asked(text) if len(text) <= search_terms.MAX_LENGTH else None
    if asked is None or len(asked) > search_terms.MAX_WORDS:
        message = f"Search with at most {search_terms.MAX_WORDS} words and {search_terms.MAX_LENGTH} characters."
        raise RuleBroken(message, code="search_too_long", fields={"search": message}, status=400)
    return asked if asked or text.strip() else [search_terms.ANYBODY]


def _rows(user, action: str, asked: list[str], limit: int, after: int | None) -> list[Found]:
    """Two statements, because planning the join of both takes PostgreSQL longer than answering them."""
    hits = _hits(asked, [*_conditions(asked), *_in_scope(user, action)], limit, after)
    found = {row[0]: Found._make(row) for row in plain_sql.rows(_SELECT.format(plain_sql.ids(hits)))} if hits else {}
    return [found[pk] for pk in hits]


_SELECT = """
SELECT patient.id, patient.given_name, patient.family_name, patient.birth_date, patient.phone, patient.email, home.name
FROM patients_patient patient JOIN locations_location home ON home.id = patient.home_location_id
WHERE patient.id IN ({})
"""
_FROM = "FROM patients_searchterm one WHERE"
Condition = tuple[str, list]  # with its values


def _hits(asked: list[str], conditions: list[Condition], limit: int, after: int | None) -> list[int]:
    """Ids of patients in the order of their first term in the range: given and family name may begin alike."""
    found: dict[int, None] = {}
    last = before = _first_hit(asked, after) if after else None
    while len(found) < limit:
        sql, values = _joined([*conditions, *([("(one.term, one.patient_id) > (%s, %s)", list(last))] if last else [])])
        some = plain_sql.rows(
            f"SELECT one.term, one.patient_id {_FROM} {sql} ORDER BY one.term, one.patient_id LIMIT %s",
            *values, limit + 1,
        )  # fmt: skip
        shown = _shown(asked, {pk for _, pk in some}, before) if before else set()
        found |= dict.fromkeys(pk for _, pk in some if pk not in shown)
        if len(some) <= limit:
            break
        last = some[-1]
    return list(found)[:limit]


def _first_hit(asked: list[str], patient_id: int) -> tuple[str, int]:
    """Where in the order the patient stands; before everybody, when no term of theirs is in the range."""
    sql, values = _match("one.term", asked)
    [[term]] = plain_sql.rows(f"SELECT MIN(one.term) {_FROM} one.patient_id = %s AND {sql}", patient_id, *values)
    return (term or "", patient_id)


def _shown(asked: list[str], some: Iterable[int], last: tuple[str, int]) -> set[int]:
    """Who of them was on the pages up to `last` by another term."""
    sql, values = _match("one.term", asked)
    earlier = f"one.patient_id IN ({plain_sql.ids(some)}) AND {sql} AND (one.term, one.patient_id) <= (%s, %s)"
    return {pk for (pk,) in plain_sql.rows(f"SELECT one.patient_id {_FROM} {earlier}", *values, *last)}


def _joined(conditions: list[Condition]) -> Condition:
    return " AND ".join(sql for sql, _ in conditions), [value for _, some in conditions for value in some]


def _match(term: str, asked: list[str]) -> Condition:
    """The term begins with the first word and holds the other names."""
    first, *others = asked
    names = [word for word in others if search_terms.is_name(word)]
    holds = "".join(f" AND {term} LIKE %s ESCAPE '\\'" for _ in names)
    return f"{term} >= %s AND {term} < %s{holds}", [first, first + LAST, *(f"% {_escaped(name)}%" for name in names)]


def _conditions(asked: list[str]) -> list[Condition]:
    other = "SELECT 1 FROM patients_searchterm other WHERE other.patient_id = one.patient_id"
    elsewhere = f"EXISTS ({other} AND other.term >= %s AND other.term < %s)"
    numbers = [word for word in asked[1:] if not search_terms.is_name(word)]
    return [_match("one.term", asked), *((elsewhere, [word, word + LAST]) for word in numbers)]


def _in_scope(user, action: str) -> list[Condition]:
    """As `Patient.objects.visible_to`."""
    places = access.location_ids(user, action)
    if places is None:
        return []
    known = "SELECT 1 FROM patients_patient_locations known WHERE known.patient_id = one.patient_id"
    marks = ", ".join(["%s"] * len(places)) or "NULL"
    return [(f"EXISTS ({known} AND known.location_id IN ({marks}))", sorted(places))]


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def may_be_the_same(user, *, given_name: str, family_name: str, birth_date, email: str = "", phone: str = ""):
    """Patients the user can see who may be this person: the same name and birth date, or the same phone or e-mail."""
    visible = Patient.objects.visible_to(user) if user else Patient.objects.all()
    name = sorted(search_terms.words(f"{given_name} {family_name}"))
    found = {
        person.pk: person
        for person in visible.filter(_has_term(birth_date.isoformat()))
        if sorted(search_terms.words(person.name)) == name
    }
    if email:
        found |= {person.pk: person for person in visible.filter(_has_term(folded(email)), email__iexact=email)}
    if phone:
        number = search_terms.digits(str(phone))
        found |= {person.pk: person for person in visible.filter(_has_term(number), phone=phone)}
    return sorted(found.values(), key=lambda person: (person.family_name, person.given_name, person.pk))


def others_like(user, patients: Iterable[Patient]) -> dict[int, list[Patient]]:
    """By the id of each, whom else the user can see that may be the same person, as `may_be_the_same`; one query."""
    patients = list(patients)
    alike = Q()
    for word in {word for person in patients for word in _telling(person)}:
        alike |= Q(term__gte=word, term__lt=f"{word} {LAST}")
    if not alike:
        return {}
    hits = SearchTerm.objects.filter(alike).values("patient")
    found = Patient.objects.visible_to(user).filter(pk__in=hits).select_related("home_location")
    return {
        person.pk: [one for one in found if one.pk != person.pk and _may_be_one(one, person)] for person in patients
    }


def _telling(person: Patient) -> list[str]:
    words = (person.birth_date.isoformat(), folded(person.email), search_terms.digits(str(person.phone)))
    return [word for word in words if word]


def _may_be_one(one: Patient, other: Patient) -> bool:
    is_named_alike = sorted(search_terms.words(one.name)) == sorted(search_terms.words(other.name))
    return (
        (is_named_alike and one.birth_date == other.birth_date)
        or (bool(one.email) and one.email.lower() == other.email.lower())
        or (bool(one.phone) and one.phone == other.phone)
    )


def _has_term(word: str) -> Q:
    """The whole word, by the index of the search instead of a look at every patient."""
    exact = SearchTerm.objects.filter(term__gte=word, term__lt=f"{word} {LAST}")
    return Q(pk__in=exact.values("patient"))
