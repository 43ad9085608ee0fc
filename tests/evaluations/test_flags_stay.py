"""A red flag that was raised is not lifted past the rules: ORM bulk calls, raw SQL, REPLACE and TRUNCATE."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from clinic import times
from evaluations.models import RedFlagEvent
from evaluations.safety import red_flags
from tests import make
from tests.evaluations.test_protection import changed, raw, replace_raw, take_the_place, upsert

TABLE = "evaluations_redflagevent"


@pytest.fixture
def event(patient, chiro):
    """An open emergency."""
    [found] = red_flags.answer(patient=patient, evaluation=None, answers={"rf_ataxia": "yes"}, by=chiro.user)
    return found


@pytest.fixture
def closed(patient, chiro):
    [found] = red_flags.answer(patient=patient, evaluation=None, answers={"rf_chiari": "yes"}, by=chiro.user)
    return red_flags.resolve(found, resolution="corrected", rationale="Another patient's.", by=chiro.user)


def close(event, by, resolution="cleared_external", **fields):
    fields = {"resolution": resolution, "resolved_by": by, "resolved_at": times.now(), **fields}
    return RedFlagEvent.objects.filter(pk=event.pk).update(**fields)


def of_another_patient(event):
    other = make.patient(event.patient.home_location)
    return RedFlagEvent.objects.create(
        patient=other, code=event.code, tier="emergency", answer="yes", opened_at=times.now()
    )


def rows():
    return RedFlagEvent.objects.all()


LIFTED = {
    "delete": lambda e, by: e.delete(),
    "delete of all": lambda e, by: rows().delete(),
    "delete past the models": lambda e, by: rows()._raw_delete(connection.alias),
    "raw delete": lambda e, by: raw("DELETE FROM evaluations_redflagevent"),
    "another patient": lambda e, by: rows().update(patient=make.patient(e.patient.home_location)),
    "another flag": lambda e, by: rows().update(code="rf_minor"),
    "another tier": lambda e, by: rows().update(tier="caution"),
    "another answer": lambda e, by: changed(e, answer="unknown").save(),
    "opened by somebody else": lambda e, by: rows().bulk_update([changed(e, opened_by=None)], ["opened_by"]),
    "upsert": lambda e, by: upsert(RedFlagEvent, e, tier="caution"),
    "replaced": lambda e, by: replace_raw(e, resolved_at=times.now()),
    "replaced by a closed one": lambda e, by: replace_raw(e, resolved_at=times.now(), resolution="corrected"),
    "its place taken by one of the same kind": lambda e, by: replace_raw(e, id=e.pk + 1, answer="unknown"),
    "its id taken": lambda e, by: take_the_place(e, of_another_patient(e)),
    "closed by a word": lambda e, by: close(e, by, resolution="fine"),
    "closed as no emergency is": lambda e, by: close(e, by, resolution="corrected"),
    "acknowledged": lambda e, by: close(e, by, resolution="acknowledged_no_change"),
    "closed by nobody": lambda e, by: close(e, None),
    "corrected by one alone": lambda e, by: close(e, by, resolution="corrected_dual"),
    "proposed and confirmed by one": lambda e, by: close(e, by, resolution="corrected_dual", proposed_by=by),
    "answered later": lambda e, by: close(e, None, resolution="answered_later"),
}


@pytest.mark.parametrize("name", LIFTED)
def test_an_emergency_is_not_lifted_past_the_rules(event, chiro, name):
    raised, refusals = event.pk, (IntegrityError, ProtectedError)
    with pytest.raises(refusals, match=r"cannot be changed|UNIQUE|unique"), transaction.atomic():
        LIFTED[name](event, chiro.user)

    [kept] = red_flags.open_events(event.patient)
    assert (kept.pk, kept.code, kept.tier, kept.answer) == (raised, "rf_ataxia", "emergency", "yes")


CHANGED = {
    "opened again": lambda e: rows().update(resolved_at=None, resolution=""),
    "other restrictions": lambda e: rows().update(restrictions=[]),
    "another reason": lambda e: changed(e, rationale="Other.").save(),
    "another clinician": lambda e: rows().update(resolved_by=None),
    "deleted": lambda e: rows().delete(),
    "replaced": lambda e: replace_raw(e, rationale="Other."),
}


@pytest.mark.parametrize("name", CHANGED)
def test_how_a_flag_was_resolved_stays(closed, name):
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        CHANGED[name](closed)

    assert RedFlagEvent.objects.get().rationale == "Another patient's."


@pytest.mark.parametrize("table", [TABLE, "evaluations_redflaganswer", "patients_patient", "clinic_user"])
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE: it deletes row by row.")
def test_the_flags_are_not_emptied_away(event, table):
    connection.check_constraints()

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        raw(f"TRUNCATE {table} CASCADE")

    assert red_flags.open_events(event.patient)


def test_the_patient_of_a_flag_stays(event):
    with pytest.raises((IntegrityError, ProtectedError)), transaction.atomic():
        event.patient.delete()


def test_a_flag_can_be_raised_again_after_it_was_resolved(closed, patient, chiro):
    [again] = red_flags.answer(patient=patient, evaluation=None, answers={"rf_chiari": "yes"}, before={}, by=chiro.user)

    assert red_flags.open_events(patient) == [again]
