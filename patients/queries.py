"""Finding patients: by the beginnings of names, a birth date, a phone number or its last digits."""

from clinic.errors import RuleBroken
from patients import search_terms
from patients.models import Patient, SearchTerm


def search(user, text: str, action: str = "patient.search"):
    """Patients in the user's scope, each typed word a beginning of one of their terms; nothing typed finds all.

    Raises RuleBroken (400) for a search too long to be one.
    """
    found = Patient.objects.visible_to(user, action).select_related("home_location")
    if "\x00" in text:
        return found.none()  # PostgreSQL cannot even compare it
    asked = search_terms.asked(text) if len(text) <= search_terms.MAX_LENGTH else None
    if asked is None or len(asked) > search_terms.MAX_WORDS:
        message = f"Search with at most {search_terms.MAX_WORDS} words and {search_terms.MAX_LENGTH} characters."
        raise RuleBroken(message, code="search_too_long", fields={"search": message}, status=400)
    if text.strip() and not asked:
        return found.none()
    for word in asked:
        found = found.filter(pk__in=SearchTerm.objects.filter(term__startswith=word).values("patient"))
    return found


def may_be_the_same(user, *, given_name: str, family_name: str, birth_date, email: str = "", phone: str = ""):
    """Patients the user can see who may be this person: the same name and birth date, or the same phone or e-mail."""
    visible = Patient.objects.visible_to(user) if user else Patient.objects.all()
    name = sorted(search_terms.words(f"{given_name} {family_name}"))
    found = {
        person.pk: person
        for person in visible.filter(birth_date=birth_date)
        if sorted(search_terms.words(person.name)) == name
    }
    if email:
        found |= {person.pk: person for person in visible.filter(email__iexact=email)}
    if phone:
        found |= {person.pk: person for person in visible.filter(phone=phone)}
    return sorted(found.values(), key=lambda person: (person.family_name, person.given_name, person.pk))
