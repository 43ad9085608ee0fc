"""Informed consent and agreement: what is shown is what is signed, who may sign, and when it is to be signed anew."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from appointments import booking
from careplans import agreement_page, blocks, consent_rules, further_visits, planning, revising
from clinic import times
from clinic.errors import RuleBroken
from evaluations.models import Incident, VisitNote
from patients import chart_file, consenting, documents, signatures
from patients.consenting import Said
from patients.models import Consent, ConsentForm
from patients.signatures import Signature
from tests import make, signing

THRUST, GENTLE = ["palmer_toggle_recoil"], ["nucca"]
TODAY = date(2027, 1, 4)


def codes(plan):
    return [block.code for block in blocks.of(plan)]


# --- the rule


def form(days=0, thrust=False, **fields):
    return ConsentForm(signed_on=TODAY - timedelta(days), covers_thrust=thrust, **fields)


@pytest.mark.parametrize(
    ("signed", "thrust", "reacted_at", "code"),
    [
        (None, False, None, "consent_missing"),
        (form(), False, None, ""),
        (form(365), False, None, ""),
        (form(366), False, None, "consent_expired"),
        (form(), True, None, "consent_without_thrust"),
        (form(thrust=None), True, None, "consent_without_thrust"),
        (form(thrust=True), True, None, ""),
        (form(thrust=True), False, None, ""),
        (form(1), False, make.at(9, day=TODAY - timedelta(2)), ""),
        (form(1), False, make.at(0, day=TODAY - timedelta(1)), "consent_before_reaction"),
        (form(1, signed_at=make.at(9)), False, make.at(9), ""),
        (form(1, signed_at=make.at(9)), False, make.at(9, 1), "consent_before_reaction"),
        (form(withdrawn_at=times.now()), False, None, "consent_withdrawn"),
    ],
)
def test_when_a_new_consent_is_needed(signed, thrust, reacted_at, code):
    found = consent_rules.fault(signed, thrust=thrust, today=TODAY, reacted_at=reacted_at, zone="America/New_York")

    assert (found.code if found else "") == code


@pytest.mark.parametrize(
    ("plan", "thrust"),
    [(["nucca", "activator", "chin_tucks"], False), (["blair"], True), (["diversified"], True), ([], False)],
)
def test_what_is_a_thrust(plan, thrust):
    assert consent_rules.has_thrust(plan) is thrust


def test_a_plan_that_turns_to_thrust_needs_a_new_consent(draft, said, chiro, atlanta):
    plan = planning.sign_consent(draft(interventions=GENTLE), name="Avery Testerson", by=chiro.user)
    assert codes(plan) == []

    said["interventions"] = THRUST
    plan = revising.revise(plan, seen=plan.version, by=chiro.user, practitioner=chiro, location=atlanta, **said)
    assert codes(plan) == ["consent_without_thrust", "agreement_missing"]
    with pytest.raises(RuleBroken) as refused:
        planning.activate(plan, by=chiro.user)
    assert refused.value.code == "consent_without_thrust"

    planning.sign_consent(plan, name="Avery Testerson", by=chiro.user)
    assert codes(plan) == []
    assert list(plan.patient.consent_forms.values_list("covers_thrust", flat=True)) == [False, True]


def test_a_withdrawal_stops_what_runs(active, chiro):
    consenting.withdraw(consenting.latest(active.patient), by=chiro.user, reason="Does not want to go on.")

    assert [block.code for block in blocks.of_running(active)] == ["consent_withdrawn"]
    assert further_visits.gate(active.series).code == "consent_withdrawn"
    standing = active.patient.consents.filter(withdrawn_at=None)
    assert not standing.filter(scope=Consent.Scope.CHIROPRACTIC_CARE).exists()

    planning.sign_consent(active, name="Avery Testerson", by=chiro.user)
    assert blocks.of_running(active) == []


def test_a_serious_reaction_asks_for_a_new_consent(active, chiro, adjustment, atlanta):
    visit = booking.book(patient=active.patient, practitioner=chiro, location=atlanta, type=adjustment, by=chiro.user,
                         starts_at=make.at(10))  # fmt: skip
    note = VisitNote.objects.create(
        patient=active.patient, appointment=visit, location=atlanta, started_by=chiro.user, started_at=times.now()
    )
    Incident.objects.create(
        patient=active.patient, note=note, location=atlanta, opened_by=chiro.user, opened_at=times.now()
    )

    assert [block.code for block in blocks.of_running(active)] == ["consent_before_reaction"]
    with times.as_of(times.now() + timedelta(minutes=1)):
        planning.sign_consent(active, name="Avery Testerson", by=chiro.user)
    assert blocks.of_running(active) == []


def test_a_withdrawal_says_why_and_stays_as_it_was(active, chiro):
    with pytest.raises(RuleBroken) as refused:
        consenting.withdraw(consenting.latest(active.patient), by=chiro.user, reason=" ")
    assert list(refused.value.fields) == ["reason"]
    first = consenting.withdraw(consenting.latest(active.patient), by=chiro.user, reason="Tired.")
    again = consenting.withdraw(first, by=chiro.user, reason="Something else.")

    assert (again.withdrawn_at, again.withdrawn_reason) == (first.withdrawn_at, "Tired.")


# --- what is shown is what is signed


def test_both_keep_the_digest_of_the_very_document(ready):
    form, version = consenting.latest(ready.patient), ready.versions.get()
    agreement = version.agreements.get()

    assert form.digest == documents.digest(form.shown)
    assert "quick, short push" in str(form.shown)
    assert agreement.digest == version.digest == documents.digest(version.document)
    assert ["Practitioner", "Robin Sample, DC"] in version.document["facts"]
    assert "Migraine days in 28 days: from 10 days to 5 days by March 1, 2027" in str(version.document)
    assert ready.consent == form


def test_a_plan_changed_while_it_was_read_is_not_signed(draft, said, chiro, atlanta):
    plan = draft()
    shown = agreement_page.to_sign(plan)
    said["interventions"] = GENTLE
    plan = revising.revise(plan, seen=plan.version, by=chiro.user, practitioner=chiro, location=atlanta, **said)

    for part, digest in (("plan", shown.plan_digest), ("consent", shown.consent_digest)):
        with pytest.raises(RuleBroken) as refused:
            planning.sign_consent(plan, name="Avery Testerson", by=chiro.user, shown={part: digest})
        assert refused.value.code == "changed_meanwhile"
    assert not plan.patient.consent_forms.exists()
    assert codes(plan) == ["consent_missing", "agreement_missing"]


def test_signing_twice_signs_once(ready, chiro):
    planning.sign_consent(ready, name="Avery Testerson", by=chiro.user)

    assert ready.patient.consent_forms.count() == 1
    assert ready.versions.get().agreements.count() == 1
    assert agreement_page.to_sign(ready).plan is agreement_page.to_sign(ready).consent is None


def test_an_old_version_stays_readable(ready, said, chiro, atlanta, sign_in):
    said["note"] = "Two pillows now."
    revising.revise(ready, seen=ready.version, by=chiro.user, practitioner=chiro, location=atlanta, **said)
    client = sign_in(chiro.user)

    old, new = (client.get(f"/care-plans/{ready.pk}/versions/{n}/").content.decode() for n in (1, 2))

    assert "Two pillows now." not in old
    assert "Avery Testerson" in old
    assert "Signed" in old
    assert "Two pillows now." in new
    assert "Nobody signed this version." in new
    assert client.get(f"/care-plans/{ready.pk}/versions/3/").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE patients_consentform SET typed_name = 'Somebody'",
        "UPDATE patients_consentform SET answers = '{}'",
        "DELETE FROM patients_consentform",
        "UPDATE careplans_planversion SET document = '{}'",
        "DELETE FROM careplans_planversion",
        "UPDATE careplans_agreement SET typed_name = 'Somebody'",
        "DELETE FROM careplans_agreement",
    ],
)
def test_the_database_keeps_what_was_signed(ready, change):
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


# --- who signs


@pytest.fixture
def child(draft, patient):
    patient.birth_date = date(2014, 3, 1)
    patient.save()
    return draft(interventions=GENTLE)


MOTHER = {"name": "Kim Testerson", "is_guardian": True, "relationship": "mother", "authority_document": "Passport"}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"is_guardian": False}, ["signer"]),
        ({"relationship": ""}, ["relationship"]),
        ({"authority_document": " "}, ["authority_document"]),
        ({"assent": None}, ["assent"]),
        ({"assent": False}, ["assent"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"drawing": [[1]]}, ["drawing"]),
    ],
)
def test_a_child_needs_a_guardian_who_may_and_its_own_yes(child, chiro, changes, fields):
    with pytest.raises(RuleBroken) as refused:
        planning.sign_consent(child, by=chiro.user, signature=Signature(**{**MOTHER, "assent": True, **changes}))

    assert list(refused.value.fields) == fields
    assert refused.value.status == 400


def test_a_mother_signs_and_the_child_agrees(child, chiro):
    planning.sign_consent(child, by=chiro.user, signature=Signature(**MOTHER, assent=True))

    form, agreement = consenting.latest(child.patient), child.versions.get().agreements.get()
    assert (form.signed_by, form.relationship, form.patient_assent) == ("Kim Testerson", "mother", True)
    assert (agreement.typed_name, agreement.is_guardian, agreement.patient_assent) == ("Kim Testerson", True, True)
    assert codes(child) == []


@pytest.mark.parametrize(
    ("state", "years", "alone"),
    [("GA", 17, False), ("GA", 18, True), ("SC", 15, False), ("SC", 16, True), ("TN", 17, False), ("??", 17, False)],
)
def test_the_age_from_which_one_signs_alone_is_the_states(atlanta, patient, state, years, alone):
    atlanta.state = state
    today = atlanta.today()
    patient.birth_date = today.replace(year=today.year - years)

    try:
        Signature("Avery Testerson").checked(patient, atlanta)
        signed = True
    except RuleBroken:
        signed = False
    assert signed is alone


@pytest.mark.parametrize(
    ("strokes", "is_sound"),
    [
        ([], True),
        ([[0, 0, 600, 200, 3, 4]], True),
        ([[1, 2], [3, 4], [5, 6]], True),
        ([[1, 2]], False),
        ([[1, 2, 3]], False),
        ([[0, 0, 601, 200, 3, 4]], False),
        ([[0, 0, -1, 200, 3, 4]], False),
        ([[True, 0, 1, 1, 2, 2]], False),
        ([["1", 0, 1, 1, 2, 2]], False),
        ([[1.5, 0, 1, 1, 2, 2]], False),
        ([[]], False),
        ("<svg/>", False),
        ({"a": 1}, False),
        ([[1, 1] * 4001], False),
        ([[1, 1, 2, 2]] * 81, False),
    ],
)
def test_a_drawing_is_whole_numbers_within_the_field(strokes, is_sound):
    assert (signatures.drawing_fault(strokes) == "") is is_sound


def test_a_drawing_becomes_a_path_of_letters_and_numbers():
    assert signatures.path([[1, 2, 3, 4], [5, 6]]) == "M1 2L3 4M5 6L5 6"


# --- what is ticked


@pytest.mark.parametrize(
    ("ticked", "field"),
    [
        (Said(scopes={"chiropractic_care": False}), "scopes"),
        (Said(scopes={"surgery": True}), "scopes"),
        (Said(risks=["soreness"]), "risks"),
        (Said(questions_answered=False), "questions_answered"),
        (Said(language="english please"), "language"),
        (Said(interpreter="\x00"), "interpreter"),
    ],
)
def test_a_consent_half_given_is_refused(draft, chiro, ticked, field):
    with pytest.raises(RuleBroken) as refused:
        planning.sign_consent(draft(), name="A. T.", by=chiro.user, said=ticked)

    assert list(refused.value.fields) == [field]


def test_each_scope_is_a_consent_or_the_end_of_one(draft, patient, chiro):
    patient.consents.create(scope="email_reminders", given_at=times.now())
    said = Said(scopes={"imaging": True, "email_reminders": False})

    planning.sign_consent(draft(), name="A. T.", by=chiro.user, said=said)

    standing = set(patient.consents.filter(withdrawn_at=None).values_list("scope", flat=True))
    assert standing == {"examination", "chiropractic_care", "imaging"}
    form = consenting.latest(patient)
    assert form.answers == {
        "examination": True, "chiropractic_care": True, "imaging": True, "telecom_reminders": False,
    }  # fmt: skip


# --- pages and API


def test_the_patient_reads_and_signs_on_the_screen(sign_in, draft, chiro):
    plan = draft(note="</script><b>note")
    client, address = sign_in(chiro.user), f"/care-plans/{plan.pk}/consent/"
    page = client.get(address)
    shown = page.context["open"]
    typed = {**signing.BOTH, "consent_digest": shown.consent_digest, "plan_digest": shown.plan_digest,
             "drawing": "[[10,10,50,60,90,20]]"}  # fmt: skip
    assert shown.consent_digest in page.content.decode()
    assert "</script><b>" not in page.content.decode()

    missing = client.post(address, {**typed, "questions_answered": "", "risks": ["soreness"]})
    assert missing.status_code == 400
    assert set(missing.context["consent"].errors) == {"questions_answered"}
    half = client.post(address, {**typed, "risks": ["soreness"]})
    assert (half.status_code, list(half.context["consent"].errors)) == (400, ["risks"])
    stale = client.post(address, {**typed, "plan_digest": "0" * 64})
    assert (stale.status_code, stale.context["signature"].non_field_errors()) == (
        409, ["The plan changed while it was read. Read it again, then sign."],
    )  # fmt: skip
    assert not plan.patient.consent_forms.exists()

    assert client.post(address, typed).status_code == 302
    printed = client.get(f"/care-plans/{plan.pk}/agreement/").content.decode()
    assert 'd="M10 10L50 60L90 20"' in printed
    assert plan.versions.get().digest in printed
    assert "nothing to do here" in client.get(address).content.decode()


@pytest.mark.parametrize("drawing", ["[[1", '"><script>', "{}", "[" * 50_000, "[[1,2,3]]", '[["M0 0",1,2,3,4,5]]'])
def test_no_drawing_that_is_none_comes_in(sign_in, draft, chiro, drawing):
    plan = draft()

    answer = sign_in(chiro.user).post(f"/care-plans/{plan.pk}/consent/", {**signing.BOTH, "drawing": drawing})

    assert (answer.status_code, list(answer.context["signature"].errors)) == (400, ["drawing"])


def test_the_consent_is_taken_back_on_the_page(sign_in, active, chiro):
    client = sign_in(chiro.user)
    client.post(f"/care-plans/{active.pk}/consent/withdraw/", {"reason": "Wants to wait."})

    page = client.get(f"/care-plans/{active.pk}/").content.decode()
    assert "Taken back" in page
    assert "The patient has taken the consent back." in page


def test_the_agreement_as_a_pdf(sign_in, ready, chiro):
    answer = sign_in(chiro.user).get(f"/care-plans/{ready.pk}/agreement.pdf")

    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")


def test_signing_over_the_api(api, draft, chiro):
    plan = draft()
    address = f"/api/v1/care-plans/{plan.pk}/consent/"
    client = api(chiro.user)
    shown = client.get(address).json()
    body = {
        "name": "Avery Testerson", "scopes": {"sharing": True}, "questions_answered": True, "interpreter": "Sam",
        "drawing": [[0, 0, 5, 5, 9, 9]], "plan_digest": shown["plan"]["digest"],
        "consent_digest": shown["consent"]["digest"],
    }  # fmt: skip
    assert documents.digest(shown["plan"]["document"]) == shown["plan"]["digest"]

    wrong = client.post(address, {**body, "signer": "guardian", "name": "Sam Testerson"}, format="json")
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["relationship", "authority_document"])
    stale = client.post(address, {**body, "consent_digest": "0"}, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    unknown = client.post(address, {**body, "signature": "x"}, format="json")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["signature"])

    signed = client.post(address, body, format="json").json()
    assert (signed["consent"]["name"], signed["agreement"]["digest"]) == ("Avery Testerson", body["plan_digest"])
    assert client.get(address).json() == {"consent": None, "plan": None}


def test_what_was_not_shown_is_not_signed(sign_in, ready, chiro, atlanta, said):
    consenting.withdraw(consenting.latest(ready.patient), by=chiro.user, reason="Wants to wait.")
    client, address = sign_in(chiro.user), f"/care-plans/{ready.pk}/consent/"
    shown = client.get(address).context["open"]
    assert (bool(shown.consent), shown.plan) == (True, None)
    revising.revise(ready, seen=1, by=chiro.user, practitioner=chiro, location=atlanta, **said | {"note": "More."})

    client.post(address, {**signing.BOTH, "consent_digest": shown.consent_digest})

    assert consenting.latest(ready.patient).withdrawn_at is None
    assert ready.versions.get(number=2).agreements.count() == 0
    unread = client.post(address, signing.BOTH)
    assert (unread.status_code, ready.versions.get(number=2).agreements.count()) == (400, 0)


def test_only_who_may_write_plans_takes_signatures(api, sign_in, draft, desk):
    plan = draft()

    assert api(desk).post(f"/api/v1/care-plans/{plan.pk}/consent/", {"name": "A"}).status_code == 403
    assert sign_in(desk).get(f"/care-plans/{plan.pk}/consent/").status_code == 403


def test_what_was_signed_here_goes_out_in_the_chart_file(ready):
    said = chart_file.take_out(ready.patient)["consents"]

    assert said == {
        "examination": True, "chiropractic_care": True, "signed_by": "patient", "relationship": None,
        "date": f"{ready.location.today()}",
        "document_version": "2026-01",
    }  # fmt: skip
