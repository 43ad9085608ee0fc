"""Writing the note of a visit: saved field by field, refused what must not be done, signed, then fixed."""

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from evaluations import catalogue
from evaluations.models import NoteOperation, RedFlagEvent, VisitNote
from evaluations.notes import note_fields, note_page, note_signing, visit_notes
from evaluations.safety import red_flags
from tests import make


def refused(act, *args, **kwargs):
    with pytest.raises(RuleBroken) as broken:
        act(*args, **kwargs)
    return broken.value


# --- begun


def test_a_visit_has_one_note(visit_today, chiro):
    note = visit_notes.start(visit_today, by=chiro.user)

    assert visit_notes.start(visit_today, by=chiro.user) == note
    assert (note.patient, note.location, note.content) == (visit_today.patient, visit_today.location, {})
    assert AuditEntry.objects.filter(action="visit_note.started").count() == 1


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_visit_that_did_not_take_place_gets_none(visit_today, chiro, status):
    Appointment.objects.filter(pk=visit_today.pk).update(status=status)

    assert refused(visit_notes.start, visit_today, by=chiro.user).code == "wrong_status"
    assert not VisitNote.objects.exists()


def test_a_visit_of_another_day_gets_none_before_its_day(book, chiro):
    assert refused(visit_notes.start, book(make.at(10)), by=chiro.user).code == "too_early"


# --- saved


def test_fields_are_kept_and_taken_back(note, write):
    answer = write(pain=3, leg="left", leg_mm="1/4 in")
    assert answer["kept"] == {"pain": 3, "leg": "left", "leg_mm": 6.4}

    write(pain=None)

    note.refresh_from_db()
    assert note.content == {"leg": "left", "leg_mm": 6.4}
    assert note.version == 2


def test_zero_no_and_an_empty_list_are_values(note, write):
    write(pain=0, medicare_at=False, adjuncts=[])

    assert note.content == {"pain": 0, "adjuncts": [], "medicare_at": False}


def test_a_stale_save_is_refused_and_nothing_is_lost(note, write):
    write(pain=3)

    assert refused(write, pain=4, version=0).code == "stale"
    assert VisitNote.objects.get().content == {"pain": 3}


def test_the_same_operation_is_applied_once(note, write):
    operation = uuid.uuid4()
    first = write(pain=3, operation=operation)

    assert write(pain=9, version=0, operation=str(operation)) == first
    assert VisitNote.objects.get().content == {"pain": 3}
    assert NoteOperation.objects.count() == 1


WRONG = {
    "no object": ([], {"content"}),
    "unknown": ({"colour": "red"}, {"content.colour"}),
    "choice": ({"change": "fine"}, {"content.change"}),
    "choice of another type": ({"change": ["better"]}, {"content.change"}),
    "too much pain": ({"pain": 11}, {"content.pain"}),
    "a truth is no number": ({"pain": True}, {"content.pain"}),
    "half": ({"pain": 2.5}, {"content.pain"}),
    "too long": ({"contact": "x" * 201}, {"content.contact"}),
    "control character": ({"contact": "a\u202eb"}, {"content.contact"}),
    "no such place": ({"segments": ["L5 left"]}, {"content.segments"}),
    "a place twice": ({"segments": ["C1 left", "C1 left"]}, {"content.segments"}),
    "a place with nothing found": ({"segments_found": [{"at": "C1 left"}]}, {"content.segments_found"}),
    "grade out of range": ({"segments_found": [{"at": "C1 left", "tenderness": 5}]}, {"content.segments_found"}),
    "no such question": ({"safety": {"rf_neoplasm": "no"}}, {"content.safety"}),
    "no such answer": ({"safety": {"rf_dizziness": ["no"]}}, {"content.safety"}),
    "not a day": ({"medicare_xray_on": "2027-02-30"}, {"content.medicare_xray_on"}),
    "leg out of range": ({"leg_mm": 51}, {"content.leg_mm"}),
    "even legs that differ": ({"leg": "even", "leg_mm": 3}, {"content.leg_mm"}),
    "more than the motion has": ({"motion": "flexion", "degrees": 91}, {"content.degrees"}),
    "one joint, two plays": (
        {"segments_found": [{"at": "C1 left", "play": "mild"}, {"at": "C1 right", "play": "marked"}]},
        {"content.segments_found"},
    ),
    "no listing of its system": ({"listing_system": "nucca", "listing": "ASRP"}, {"content.listing"}),
    "treated and not treated": ({"not_adjusted": True, "segments": ["C1 left"]}, {"content.segments"}),
    "maintenance with AT": ({"medicare_active": False, "medicare_at": True}, {"content.medicare_at"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_by_its_field(note, chiro, name):
    content, fields = WRONG[name]

    broken = refused(visit_notes.save, note, content=content, version=0, by=chiro.user)

    assert (broken.code, broken.status, set(broken.fields)) == ("invalid_note", 400, fields)
    assert VisitNote.objects.get().version == 0


GOOD = [
    {"pain": 10}, {"degrees": 90, "motion": "flexion"}, {"leg": "even", "leg_mm": 0}, {"leg_mm": 50, "leg": "right"},
    {"segments_found": [{"at": "C1 left", "play": "mild"}, {"at": "C1 right", "play": "mild", "tenderness": 4}]},
    {"listing_system": "palmer_hio", "listing": "ASRP"}, {"listing": "as I call it"}, {"contact": "x" * 200},
    {"medicare_active": True, "medicare_at": True, "medicare_xray_on": "2027-02-28"},
]  # fmt: skip


@pytest.mark.parametrize("content", GOOD, ids=str)
def test_what_fits_is_kept(note, no_flags, chiro, content):
    answer = visit_notes.save(note, content=content, version=0, by=chiro.user)

    assert answer["kept"] == content


def test_a_listing_is_kept_in_the_form_of_its_system(note, no_flags, write):
    write(listing="l1.25 a0.5")
    assert note.content["listing"] == "l1.25 a0.5"

    write(listing_system="nucca")

    assert note.content["listing"] == "L1.25 A0.50"


# --- safety


def test_a_yes_opens_a_red_flag_and_stops_the_treatment(note, write, no_flags):
    write(safety={"rf_dizziness": "yes"})
    broken = refused(write, technique="nucca")

    assert [event.code for event in red_flags.open_events(note.patient)] == ["rf_dizziness"]
    assert (broken.code, set(broken.fields)) == ("red_flag_open", {"content.technique"})
    assert "NUCCA" in broken.message
    assert "dizziness" in broken.message.lower()
    write(not_adjusted=True, adjuncts=["education", "heat"])


ADJUSTED = {
    "segments": ["C1 left"], "listing": "ASRP", "contact": "Pisiform", "line_of_drive": "Lateral to medial",
    "side": "left", "position": "prone",
}  # fmt: skip


@pytest.mark.parametrize("code", ADJUSTED)
@pytest.mark.parametrize("flag", ["rf_neuro_deficit", "rf_dizziness", "rf_painkiller"])
def test_an_adjustment_is_not_told_without_its_technique_either(note, write, no_flags, code, flag):
    write(safety={flag: "yes"})

    broken = refused(write, **{code: ADJUSTED[code]})

    assert (broken.code, set(broken.fields)) == ("red_flag_open", {f"content.{code}"})
    assert catalogue.RED_FLAGS[flag].label in broken.message
    assert note_fields.FIELDS[code].label in broken.message
    write(not_adjusted=True, not_adjusted_reason="Sent to the emergency department.", leg="left", leg_mm=6)


def test_what_was_told_before_the_flag_stays_and_may_be_taken_back(note, write, no_flags):
    write(**ADJUSTED)
    write(safety={"rf_neuro_deficit": "yes"})

    write(**ADJUSTED, pain=3)
    broken = refused(write, segments=["C2 left"])
    write(**dict.fromkeys(ADJUSTED))

    assert set(broken.fields) == {"content.segments"}
    assert not set(ADJUSTED) & set(note.content)


def test_the_gravest_flag_is_named_with_every_field(note, write, no_flags):
    write(safety={"rf_painkiller": "yes", "rf_dizziness": "unknown", "rf_neuro_deficit": "yes"})

    broken = refused(write, technique="nucca", segments=["C1 left"])

    assert set(broken.fields) == {"content.technique", "content.segments"}
    assert all(catalogue.RED_FLAGS["rf_neuro_deficit"].label in text for text in broken.fields.values())


def test_a_referral_forbids_to_tell_of_an_adjustment(note, write, no_flags, restricted):
    restricted("no_manual_neck_care")

    broken = refused(write, segments=["C1 left"])

    assert (broken.code, set(broken.fields)) == ("intervention_forbidden", {"content.segments"})


def test_a_yes_counts_again_at_the_next_visit(note, write, no_flags, chiro):
    red_flags.answer(patient=note.patient, evaluation=None, answers={"rf_painkiller": "yes"}, by=chiro.user)
    [event] = red_flags.open_events(note.patient)
    red_flags.resolve(event, resolution="acknowledged_no_change", by=chiro.user, rationale="Talked through, no change.")

    write(safety={"rf_painkiller": "yes"})
    write(safety={"rf_painkiller": "yes", "rf_dizziness": "no"})

    assert RedFlagEvent.objects.filter(code="rf_painkiller").count() == 2
    assert note.content["safety"] == {"rf_dizziness": "no", "rf_painkiller": "yes"}


def test_nobody_is_treated_who_was_never_asked(note, write):
    assert refused(write, technique="activator").code == "red_flags_unanswered"
    assert refused(write, adjuncts=["massage"]).fields.keys() == {"content.adjuncts"}
    write(adjuncts=["cold"])


@pytest.mark.parametrize(
    ("restriction", "technique", "is_forbidden"),
    [
        ("no_hvla", "diversified", True), ("no_hvla", "blair", False),
        ("no_manual_thrust", "blair", True), ("no_manual_thrust", "nucca", False),
        ("instrument_only", "nucca", True), ("instrument_only", "atlas_orthogonal", False),
        ("no_manual_neck_care", "activator", True), ("no_xray", "diversified", False),
    ],
)  # fmt: skip
def test_a_restriction_forbids_its_techniques_by_name(
    note, write, no_flags, restricted, restriction, technique, is_forbidden
):
    restricted(restriction)

    if not is_forbidden:
        write(technique=technique)
        return
    broken = refused(write, technique=technique)
    assert (broken.code, set(broken.fields)) == ("intervention_forbidden", {"content.technique"})
    assert "is forbidden" in broken.message


def test_what_was_done_before_the_flag_stays_and_is_told(note, write, no_flags, whole, chiro):
    write(**whole)
    write(safety={"rf_dizziness": "yes"})
    write(pain_after=2)
    note_signing.sign(note, by=chiro.user)

    assert note.facts["against"] == ["“New dizziness / vertigo / unsteadiness with neck pain” is not resolved."]


# --- signed


def test_a_whole_note_is_signed_and_then_fixed(note, write, whole, no_flags, chiro):
    write(**whole)
    note_signing.sign(note, by=chiro.user, version=note.version)

    assert note_signing.is_intact(VisitNote.objects.get())
    assert refused(write, pain=1).code == "signed"
    assert refused(note_signing.sign, note, by=chiro.user).code == "signed"
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        VisitNote.objects.update(content={})
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        VisitNote.objects.all()._raw_delete("default")


def test_only_addenda_follow_and_they_stay(note, write, whole, no_flags, chiro):
    assert refused(note_signing.add, note, text="a", reason="b", by=chiro.user).code == "not_signed"
    write(**whole)
    note_signing.sign(note, by=chiro.user)

    note_signing.add(note, text="Felt well at night.", reason="Called", by=chiro.user)
    broken = refused(note_signing.add, note, text=" ", reason="", by=chiro.user)

    assert set(broken.fields) == {"text", "reason"}
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        note.addenda.update(text="Else")
    assert note_signing.is_intact(VisitNote.objects.get())


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"safety": None}, {"content.safety"}),
        ({"technique": None}, {"content.technique"}),
        ({"technique": None, "segments": None, "not_adjusted": True}, {"content.not_adjusted_reason"}),
        ({"reaction": None}, {"content.reaction"}),
        ({"reaction": "mild"}, {"content.reaction_what", "content.reaction_when", "content.reaction_action"}),
        ({"reaction": "mild", "reaction_what": "Sore", "reaction_when": "At night", "reaction_action": "Cold"}, set()),
        ({"technique": None, "segments": None, "not_adjusted": True, "not_adjusted_reason": "Legs even"}, set()),
        ({"technique": None, "segments": None, "adjuncts": ["education"]}, set()),
        ({"pain": None, "leg": None, "leg_mm": None}, set()),
    ],
)
def test_what_has_to_be_said_before_signing(note, write, whole, no_flags, chiro, changes, needed):
    write(**whole)
    write(**changes)

    if not needed:
        assert note_signing.sign(note, by=chiro.user).is_signed
        return
    broken = refused(note_signing.sign, note, by=chiro.user)
    assert (broken.code, set(broken.fields)) == ("note_incomplete", needed)


@pytest.mark.parametrize("status", ["no_show", "cancelled"])
def test_the_note_of_a_visit_that_did_not_take_place_is_not_signed(note, write, whole, no_flags, chiro, status):
    write(**whole)
    Appointment.objects.filter(pk=note.appointment_id).update(status=status)

    assert refused(note_signing.sign, note, by=chiro.user).code == "wrong_status"
    note.refresh_from_db()
    assert not note.is_signed


def test_who_did_not_treat_does_not_sign(note, write, whole, no_flags, atlanta, chiro, book):
    write(**whole)
    other = make.practitioner(atlanta)

    assert refused(note_signing.sign, note, by=other.user).code == "not_the_examiner"
    assert refused(note_signing.sign, note, by=chiro.user, version=0).code == "stale"


# --- carried over


def test_grey_values_do_not_count_until_they_are_taken(signed_before, note, chiro):
    suggested = note_page.suggestions(note, visit_notes.last_signed(note))

    assert visit_notes.last_signed(note) == signed_before
    assert note.content == {}
    assert suggested["technique"].value == "nucca"
    assert {"safety", "change", "reaction", "not_adjusted", "headache_days"} & set(suggested) == set()
    assert set(suggested) <= set(note_fields.FIELDS)


def test_how_the_patient_is_treated_is_carried_past_a_visit_without_an_adjustment(
    signed_before, book, whole, chiro, note
):
    at = times.now().replace(second=0, microsecond=0) - timedelta(days=1)
    said = {code: value for code, value in whole.items() if code not in {"technique", "segments"}}
    with times.as_of(at):
        checked = visit_notes.start(book(at), by=chiro.user)
        said |= {"not_adjusted": True, "not_adjusted_reason": "Even legs.", "contact": "None", "pain": 1}
        visit_notes.save(checked, content=said, version=0, by=chiro.user)
        note_signing.sign(checked, by=chiro.user)

    suggested = note_page.suggestions(note, visit_notes.last_signed(note))

    assert visit_notes.last_treated(note) == signed_before
    before = f"{signed_before.day:%b} {signed_before.day.day}"
    assert (suggested["technique"].value, suggested["technique"].source) == ("nucca", before)
    assert suggested["segments"].value == ["C1 left"]
    assert (suggested["contact"].value, suggested["pain"].value) == ("None", 1)  # said later, so this counts
    assert {"not_adjusted", "not_adjusted_reason"} & set(suggested) == set()


def test_copied_findings_are_told(signed_before, note, write):
    same = {code: signed_before.content[code] for code in ("leg", "leg_mm", "segments_found")}
    write(**same)
    assert note_page.form(note)["facts"]["is_copied"]

    write(leg_mm=2)

    assert not note_page.form(note)["facts"]["is_copied"]


def test_two_empty_findings_are_no_copy(signed_before, note, write):
    write(pain=4)

    assert not note_page.form(note)["facts"]["is_copied"]
