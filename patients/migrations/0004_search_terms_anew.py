from itertools import islice

from django.db import migrations

from patients import search_terms


def write(apps, schema_editor):
    """Every patient's terms as they are written from now on: with the rest of the name behind the word."""
    Patient, SearchTerm = (apps.get_model("patients", name) for name in ("Patient", "SearchTerm"))  # noqa: N806
    SearchTerm.objects.all().delete()
    people = Patient.objects.only("given_name", "family_name", "birth_date", "phone", "email").order_by("pk")
    rows = (
        SearchTerm(patient=person, term=term)
        for person in people.iterator(2000)
        for term in sorted(
            search_terms.terms(
                given_name=person.given_name,
                family_name=person.family_name,
                birth_date=person.birth_date,
                phone=str(person.phone),
                email=person.email,
            )
        )
    )
    while some := list(islice(rows, 5000)):
        SearchTerm.objects.bulk_create(some)


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_search_terms_in_order")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
