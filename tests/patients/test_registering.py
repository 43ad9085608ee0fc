from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from patients import queries, registering
from patients.models import Consent, Patient
from tests import make

AVERY = {"given_name": "Avery", "family_name": "Stone", "birth_date": date(1985, 3, 14)}


def _audit(patient):
    return list(AuditEntry.objects.filter(patient_id=patient.pk).order_by("id").values_list("action", flat=True))


def test_register_writes_patient_terms_consent_and_audit(atlanta, desk):
    patient = registering.register(
        **AVERY, phone="+14045550142", home_location=atlanta, by=desk, email="a@example.org", email_reminders=True
    )

    assert list(patient.locations.all()) == [atlanta]
    assert sorted(patient.search_terms.values_list("term", flat=True)) == [
        " stone avery", "0142 stone avery", "1985-03-14 stone avery", "4045550142 stone avery", "5550142 stone avery",
        "a@example.org stone avery", "avery stone", "stone avery", "~afr stone avery", "~stn stone avery",
    ]  # fmt: skip
    assert patient.consents.get().scope == Consent.Scope.EMAIL_REMINDERS
    assert _audit(patient) == ["patient.created", "consent.given"]


def test_register_elsewhere_does_not_exist(atlanta, marietta, desk):
    with pytest.raises(Http404):
        registering.register(**AVERY, home_location=marietta, by=desk)

    assert Patient.objects.count() == 0


def test_register_by_auditor_is_denied(atlanta):
    with pytest.raises(PermissionDenied):
        registering.register(**AVERY, home_location=atlanta, by=make.user("auditor", atlanta))


@pytest.mark.parametrize(
    ("again", "code"),
    [
        ({"given_name": "AVERY", "family_name": "stoné"}, "possible_duplicate"),
        ({"given_name": "Stone", "family_name": "Avery"}, "possible_duplicate"),
        ({"birth_date": date(1999, 1, 1), "phone": "+14045550142"}, "possible_duplicate"),
        ({"birth_date": date(1999, 1, 1), "email": "A@example.org"}, "possible_duplicate"),
        ({"birth_date": date(1999, 1, 1)}, None),
        ({"given_name": "Blake"}, None),
    ],
)
def test_a_known_person_is_pointed_out(atlanta, desk, again, code):
    known = registering.register(**AVERY, phone="+14045550142", email="a@example.org", home_location=atlanta, by=desk)

    if code is None:
        registering.register(**{**AVERY, **again}, home_location=atlanta, by=desk)
        assert Patient.objects.count() == 2
        return
    with pytest.raises(RuleBroken) as refused:
        registering.register(**{**AVERY, **again}, home_location=atlanta, by=desk)
    assert (refused.value.code, refused.value.fields) == (code, {"duplicates": [known.pk]})
    registering.register(**{**AVERY, **again}, home_location=atlanta, by=desk, confirm_duplicate=True)
    assert Patient.objects.count() == 2


def test_duplicates_out_of_sight_are_not_told(atlanta, marietta, desk):
    registering.register(**AVERY, home_location=marietta, by=None, by_whom="import")

    registering.register(**AVERY, home_location=atlanta, by=desk)

    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"given_name": ""}, "given_name"),
        ({"given_name": "\u202eevil"}, "given_name"),
        ({"given_name": "x" * 201}, "given_name"),
        ({"email": "nobody"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"sex": "no such"}, "sex"),
        ({"birth_date": date(1800, 1, 1)}, "birth_date"),
        ({"birth_date": date(9999, 12, 31)}, "birth_date"),
    ],
)
def test_wrong_input_names_its_field(atlanta, desk, wrong, field):
    with pytest.raises(RuleBroken) as refused:
        registering.register(**{**AVERY, **wrong}, home_location=atlanta, by=desk)

    assert (refused.value.status, list(refused.value.fields)) == (400, [field])


def test_born_today_is_fine_and_tomorrow_is_not(atlanta, desk):
    today = atlanta.today()

    registering.register(given_name="New", birth_date=today, home_location=atlanta, by=desk)

    with pytest.raises(RuleBroken, match="future"):
        registering.register(given_name="Newer", birth_date=today + timedelta(days=1), home_location=atlanta, by=desk)


def test_names_are_stored_in_nfc(atlanta, desk):
    patient = registering.register(
        given_name=" Jose\u0301 ", birth_date=date(1985, 3, 14), home_location=atlanta, by=desk
    )

    assert Patient.objects.get(pk=patient.pk).given_name == "Jos\u00e9"


def test_amend_moves_the_search_terms_and_says_which_fields(atlanta, desk):
    patient = registering.register(**AVERY, home_location=atlanta, by=desk)

    registering.amend(patient, by=desk, given_name="Avery", family_name="Rivers")

    assert [one.pk for one in queries.search(desk, "rivers")] == [patient.pk]
    assert queries.search(desk, "stone") == []
    assert AuditEntry.objects.get(action="patient.amended").detail == {"fields": ["family_name"]}


def test_amend_without_a_change_writes_nothing(atlanta, desk):
    patient = registering.register(**AVERY, home_location=atlanta, by=desk)

    registering.amend(patient, by=desk, **AVERY)

    assert _audit(patient) == ["patient.created"]


def test_amend_out_of_scope_is_denied(atlanta, marietta, desk):
    stranger = registering.register(**AVERY, home_location=marietta, by=None, by_whom="import")

    with pytest.raises(PermissionDenied):
        registering.amend(stranger, by=desk, given_name="Mine")


def test_consent_given_withdrawn_and_given_again_keeps_each_row(patient, desk):
    scope = Consent.Scope.EMAIL_REMINDERS

    registering.give_consent(patient, scope, by=desk)
    registering.give_consent(patient, scope, by=desk)
    registering.withdraw_consent(patient, scope, by=desk)
    registering.withdraw_consent(patient, scope, by=desk)
    registering.give_consent(patient, scope, by=None, by_whom="patient")

    assert [c.withdrawn_at is None for c in patient.consents.order_by("id")] == [False, True]
    assert _audit(patient) == ["consent.given", "consent.withdrawn", "consent.given"]


def test_index_all_makes_bulk_patients_findable(patient, desk):
    registering.index_all([patient])

    assert [one.pk for one in queries.search(desk, "aver testers")] == [patient.pk]
