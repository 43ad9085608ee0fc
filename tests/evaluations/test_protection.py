import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from appointments import booking
from clinic.errors import RuleBroken
from evaluations import recording, signing
from evaluations.intake import history_taking
from evaluations.models import Addendum, Evaluation, Finding, RedFlagAnswer
from evaluations.safety import red_flags
from tests import make

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


def changed(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def upsert(model, row, **fields):
    return model.objects.bulk_create(
        [changed(row, **fields)], update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
    )


def replace_raw(row, **fields):
    """REPLACE on SQLite, which runs no trigger of the row that goes; ON CONFLICT on PostgreSQL."""
    columns = {field.column: field.get_db_prep_save(getattr(changed(row, **fields), field.attname), connection)
               for field in row._meta.concrete_fields}  # fmt: skip
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    table = row._meta.db_table
    sql = f"REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    if connection.vendor != "sqlite":
        news = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name != "id")
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {news}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, list(columns.values()))


def delete_past_the_models(row):
    type(row).objects.filter(pk=row.pk)._raw_delete(connection.alias)
    connection.check_constraints()


def a_draft(evaluation, chiro):
    return Evaluation.objects.create(
        patient=evaluation.patient, location=evaluation.location, started_by=chiro.user, started_at=timezone.now()
    )


def take_the_place(of, row):
    """The row takes the id of another, which SQLite would put out of the way."""
    how = "UPDATE OR REPLACE" if connection.vendor == "sqlite" else "UPDATE"
    raw(f"{how} {row._meta.db_table} SET id = {of.pk} WHERE id = {row.pk}")


def a_drafts_finding(evaluation, chiro):
    finding = a_finding(a_draft(evaluation, chiro), chiro)
    finding.save()
    return finding


def first(model):
    return model.objects.order_by("pk").first()


CHANGES = {
    "update of the evaluation": lambda e, c: Evaluation.objects.update(conclusion="Other."),
    "save of the evaluation": lambda e, c: changed(Evaluation.objects.get(), conclusion="Other.").save(),
    "update_or_create": lambda e, c: Evaluation.objects.update_or_create(pk=e.pk, defaults={"intake": {}}),
    "bulk_update of the evaluation": lambda e, c: Evaluation.objects.bulk_update(
        [changed(Evaluation.objects.get(), measures={"nprs_neck": 1})], ["measures"]
    ),
    "upsert of the evaluation": lambda e, c: upsert(Evaluation, Evaluation.objects.get(), conclusion="Other."),
    "raw replacement of the evaluation": lambda e, c: replace_raw(Evaluation.objects.get(), conclusion="Other."),
    "delete of the evaluation": lambda e, c: raw("DELETE FROM evaluations_evaluation"),
    "raw update of the evaluation": lambda e, c: raw("UPDATE evaluations_evaluation SET signed_at = NULL"),
    "unsigning": lambda e, c: Evaluation.objects.update(signed_at=None, signed_by=None, digest=""),
    "another patient": lambda e, c: Evaluation.objects.update(patient=make.patient(e.location)),
    "update of a finding": lambda e, c: Finding.objects.update(number=71),
    "update of readings": lambda e, c: Finding.objects.update(readings=[1, 2, 3]),
    "save of a finding": lambda e, c: changed(Finding.objects.get(), number=71).save(),
    "bulk_update of a finding": lambda e, c: Finding.objects.bulk_update(
        [changed(Finding.objects.get(), number=71)], ["number"]
    ),
    "upsert of a finding": lambda e, c: upsert(Finding, Finding.objects.get(), number=71),
    "raw replacement of a finding": lambda e, c: replace_raw(Finding.objects.get(), number=71),
    "a finding replaced from a draft": lambda e, c: replace_raw(Finding.objects.get(), evaluation=a_draft(e, c)),
    "delete of a finding": lambda e, c: Finding.objects.all().delete(),
    "raw delete of a finding": lambda e, c: raw("DELETE FROM evaluations_finding"),
    "insert of a finding": lambda e, c: a_finding(e, c).save(),
    "bulk insert of a finding": lambda e, c: Finding.objects.bulk_create([a_finding(e, c)]),
    "a finding moved away": lambda e, c: Finding.objects.update(evaluation=a_draft(e, c)),
    "update of an answer": lambda e, c: RedFlagAnswer.objects.update(answer="yes"),
    "bulk_update of an answer": lambda e, c: RedFlagAnswer.objects.bulk_update(
        [changed(first(RedFlagAnswer), answer="yes")], ["answer"]
    ),
    "upsert of an answer": lambda e, c: upsert(RedFlagAnswer, first(RedFlagAnswer), answer="yes"),
    "raw replacement of an answer": lambda e, c: replace_raw(first(RedFlagAnswer), answer="yes"),
    "an answer replaced from elsewhere": lambda e, c: replace_raw(first(RedFlagAnswer), evaluation=None),
    "insert of an answer": lambda e, c: changed(first(RedFlagAnswer), pk=None).save(),
    "delete of an answer": lambda e, c: RedFlagAnswer.objects.all().delete(),
    "its id taken by a draft": lambda e, c: take_the_place(e, a_draft(e, c)),
    "a finding's id taken by a draft's": lambda e, c: take_the_place(Finding.objects.get(), a_drafts_finding(e, c)),
    "another end": lambda e, c: Evaluation.objects.update(ended_at=timezone.now()),
    "another age": lambda e, c: Evaluation.objects.update(age_when_signed=12),
    "update of an addendum": lambda e, c: Addendum.objects.update(text="Less."),
    "save of an addendum": lambda e, c: changed(Addendum.objects.get(), text="Less.").save(),
    "upsert of an addendum": lambda e, c: upsert(Addendum, Addendum.objects.get(), text="Less."),
    "raw replacement of an addendum": lambda e, c: replace_raw(Addendum.objects.get(), text="Less."),
    "delete of an addendum": lambda e, c: Addendum.objects.all().delete(),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_database_refuses_to_change_what_is_signed(signed, chiro, name):
    before = signing.canonical(signed)

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        CHANGES[name](signed, chiro)

    signed.refresh_from_db()
    assert signing.canonical(signed) == before
    assert signing.is_intact(signed)
    assert signed.addenda.get().text == "More."


TRUNCATED = ("evaluations_evaluation", "evaluations_finding", "evaluations_addendum", "evaluations_redflaganswer",
             "patients_patient", "clinic_user")  # fmt: skip


@pytest.mark.parametrize("table", TRUNCATED)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE: it deletes row by row.")
def test_the_tables_cannot_be_emptied_past_the_triggers_of_rows(signed, table):
    connection.check_constraints()  # nothing that waits for COMMIT stands in the way

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        raw(f"TRUNCATE {table} CASCADE")

    assert signing.is_intact(Evaluation.objects.get())


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE: it deletes row by row.")
def test_tables_without_anything_signed_can_be_emptied(evaluation, save):
    save(PULSE)

    connection.check_constraints()
    raw("TRUNCATE evaluations_finding")
    raw("TRUNCATE evaluations_evaluation CASCADE")

    assert not Evaluation.objects.exists()


# --- through the rules, by cascade, over the API and the admin

BY_RULE = {
    "save": lambda e, by: recording.save(e, findings=[{"code": "heart_rate", "value": 71}], version=e.version, by=by),
    "clocks": lambda e, by: recording.save(e, findings=[], version=e.version, by=by, section_seconds={"rom": 9}),
    "answers": lambda e, by: red_flags.answer(patient=e.patient, evaluation=e, answers={"rf_minor": "yes"}, by=by),
    "intake": lambda e, by: history_taking.confirm(e, {"lifetime_attacks": 5}, version=0, by=by),
    "stop": lambda e, by: red_flags.stop(e, by=by),
    "sign again": lambda e, by: signing.sign(e, by=by),
}


@pytest.mark.parametrize("rule", BY_RULE)
def test_the_rules_refuse_it_by_name(signed, chiro, rule):
    with pytest.raises(RuleBroken) as refused:
        BY_RULE[rule](signed, chiro.user)

    assert refused.value.code == "signed"
    assert signing.is_intact(signed)


def test_whatever_it_rests_on_cannot_be_deleted_away_from_it(signed):
    for row in (signed.patient, signed.location, signed.signed_by):
        with pytest.raises((ProtectedError, IntegrityError)), transaction.atomic():
            row.delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            delete_past_the_models(row)

    assert signing.is_intact(Evaluation.objects.get())


def test_a_visit_with_a_signed_evaluation_stays(signed, chiro, adjustment, desk):
    visit = booking.book(
        patient=signed.patient, practitioner=chiro, location=signed.location, type=adjustment, starts_at=make.at(10),
        by=desk,
    )  # fmt: skip
    second = recording.start(patient=signed.patient, location=signed.location, appointment=visit, by=chiro.user)
    red_flags.stop(second, by=chiro.user)
    signing.sign(second, by=chiro.user)

    with pytest.raises(ProtectedError):
        visit.delete()

    assert signing.is_intact(Evaluation.objects.get(pk=second.pk))


@pytest.mark.parametrize("how", ["UPDATE OR REPLACE", "INSERT OR REPLACE"])
def test_a_draft_does_not_take_the_visit_of_a_signed_one(signed, chiro, adjustment, desk, how):
    visit = booking.book(
        patient=signed.patient, practitioner=chiro, location=signed.location, type=adjustment, starts_at=make.at(10),
        by=desk,
    )  # fmt: skip
    second = recording.start(patient=signed.patient, location=signed.location, appointment=visit, by=chiro.user)
    red_flags.stop(second, by=chiro.user)
    signing.sign(second, by=chiro.user)
    draft = a_draft(signed, chiro)
    or_replace = how if connection.vendor == "sqlite" else "UPDATE"
    take = {
        "UPDATE OR REPLACE": lambda: raw(
            f"{or_replace} evaluations_evaluation SET appointment_id = {visit.pk} WHERE id = {draft.pk}"
        ),
        "INSERT OR REPLACE": lambda: replace_raw(draft, id=draft.pk + 1, appointment=visit),
    }

    with pytest.raises(IntegrityError), transaction.atomic():
        take[how]()

    assert signing.is_intact(Evaluation.objects.get(pk=second.pk))


def test_a_birth_date_that_is_corrected_moves_nothing_that_was_signed(signed):
    before = signed.age
    signed.patient.birth_date = signed.patient.birth_date.replace(year=2016)
    signed.patient.save()

    kept = Evaluation.objects.get(pk=signed.pk)

    assert kept.age == before
    assert signing.is_intact(kept)


def test_what_was_signed_in_the_first_form_is_still_intact(answered, save, chiro):
    save(PULSE, version=answered.version)
    answered.refresh_from_db()
    answered.signed_at, answered.signed_by = timezone.now(), chiro.user
    answered.digest = signing.digest_of(answered, form=1)
    answered.save()

    assert signing.is_intact(Evaluation.objects.get())
    assert "ended_at" not in signing.canonical(answered, form=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: setattr(e, "ended_at", e.ended_at + timedelta(seconds=1)),
        lambda e: setattr(e, "age_when_signed", e.age_when_signed + 1),
        lambda e: setattr(e, "conclusion", "Other."),
    ],
)
def test_the_digest_speaks_of_all_that_results_rest_on(signed, change):
    assert signing.is_intact(signed)

    change(signed)

    assert not signing.is_intact(signed)


def test_who_recorded_what_when_is_signed(signed):
    [finding] = signed.findings.all()

    assert json.loads(signing.canonical(signed))["findings"] == [
        ["heart_rate", "", "assessed", 70, "", "", "", None, finding.by_id, finding.at.isoformat()]
    ]


def test_the_api_refuses_it(api, chiro, signed):
    address = f"/api/v1/evaluations/{signed.pk}/"
    client = api(chiro.user)
    answers = [
        client.patch(address, {"version": signed.version, "findings": [PULSE]}, format="json"),
        client.put(f"{address}intake/", {"version": 0, "answers": {}}, format="json"),
        client.post(f"{address}sign/"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "signed")] * 3
    assert {client.put(address, {}).status_code, client.delete(address).status_code} == {404}
    assert signing.is_intact(Evaluation.objects.get())


def test_there_is_no_admin_that_could():
    assert not apps.is_installed("django.contrib.admin")
    with pytest.raises(NoReverseMatch):
        reverse("admin:index")


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
