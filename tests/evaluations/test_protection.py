import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from evaluations import red_flags, signing
from evaluations.models import Addendum, Evaluation, Finding, RedFlagAnswer

PULSE = {"code": "heart_rate", "value": 70}


@pytest.fixture
def signed(answered, save, chiro):
    save(PULSE, version=answered.version)
    signing.sign(answered, by=chiro.user)
    signing.add(answered, text="More.", reason="Forgotten", by=chiro.user)
    return answered


def raw(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def a_finding(evaluation, chiro):
    return Finding(
        evaluation=evaluation, code="gait", status="assessed", text="normal", by=chiro.user, at=timezone.now()
    )


CHANGES = {
    "update of the evaluation": lambda e, c: Evaluation.objects.update(conclusion="Other."),
    "delete of the evaluation": lambda e, c: raw("DELETE FROM evaluations_evaluation"),
    "raw update of the evaluation": lambda e, c: raw("UPDATE evaluations_evaluation SET signed_at = NULL"),
    "update of a finding": lambda e, c: Finding.objects.update(number=71),
    "delete of a finding": lambda e, c: Finding.objects.all().delete(),
    "raw delete of a finding": lambda e, c: raw("DELETE FROM evaluations_finding"),
    "bulk insert of a finding": lambda e, c: Finding.objects.bulk_create([a_finding(e, c)]),
    "update of an answer": lambda e, c: RedFlagAnswer.objects.update(answer="yes"),
    "delete of an answer": lambda e, c: RedFlagAnswer.objects.all().delete(),
    "update of an addendum": lambda e, c: Addendum.objects.update(text="Less."),
    "delete of an addendum": lambda e, c: Addendum.objects.all().delete(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_database_refuses_to_change_what_is_signed(signed, chiro, name):
    before = signing.canonical(signed)

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        CHANGES[name](signed, chiro)

    signed.refresh_from_db()
    assert signing.canonical(signed) == before
    assert signing.is_intact(signed)
    assert signed.addenda.get().text == "More."


def test_a_finding_cannot_move_into_a_signed_evaluation(signed, chiro, atlanta):
    draft = Evaluation.objects.create(
        patient=signed.patient, location=atlanta, started_by=chiro.user, started_at=timezone.now()
    )
    finding = a_finding(draft, chiro)
    finding.save()

    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(evaluation=signed)

    assert finding in draft.findings.all()


def test_a_draft_can_be_changed(answered, save):
    save(PULSE, version=answered.version)

    save({**PULSE, "value": 71})

    assert Finding.objects.get().value == 71


def test_later_answers_of_the_patient_do_not_touch_the_signed_ones(signed, chiro):
    red_flags.answer(patient=signed.patient, evaluation=None, answers={"rf_ataxia": "yes"}, by=chiro.user)

    assert signing.is_intact(signed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "again"])
def test_a_test_with_real_transactions_can_sign_and_is_cleared(signed, time):
    with pytest.raises(IntegrityError):
        Finding.objects.update(number=71)

    assert Evaluation.objects.count() == 1
