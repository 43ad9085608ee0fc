"""The report of findings: for a clinician everything, for the patient plain words; as a page and as a PDF."""

import html
import os
import re
import zlib
from datetime import datetime
from types import SimpleNamespace

import pytest
from django.urls import reverse

from clinic import pdf
from clinic.models import AuditEntry
from evaluations import (  # fmt: skip
    brought_in,
    catalogue,
    compare_page,
    comparison,
    finding_paths,
    neck_picture,
    patient_words,
    recording,
    signing,
    summary,
)
from evaluations.comparison import Taken
from evaluations.entry import checking  # fmt: skip
from evaluations.intake import history_taking  # fmt: skip
from evaluations.readings import Readings
from evaluations.safety import red_flags  # fmt: skip
from tests import make
from tests.evaluations.conftest import read_chart

# What the evidence does not support, or what would grade a patient on a convention.
NOT_SAID = (
    "align", "sublux", "atlas", "listing", "leg length", "leg-length", "forward head", "craniovertebral", "posture",
    "cure", "heal", "caus", "brainstem", "correct", "guarantee", "promise", "will improve", "will get better",
    "stop taking", "reduce your medic", "abnormal",
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture
def needs_pdf():
    if pdf.problem():
        pytest.fail(pdf.problem()) if os.environ.get("REQUIRE_PDF") == "1" else pytest.skip(pdf.problem())


@pytest.fixture
def second(patient, atlanta, chiro):
    """The second of two signed evaluations of somebody who got better; its conclusion and addendum are hostile."""
    chart = read_chart("C01")
    for part, kind in (("baseline", "initial"), ("reevaluation", "reevaluation")):
        said = chart[part]["evaluation"]
        begun, ended = (datetime.fromisoformat(said[name]) for name in ("started_at", "ended_at"))
        evaluation = brought_in.write(
            patient, location=atlanta, kind=kind, status="signed", started_at=begun, ended_at=ended,
            by="Robin Sample", intake=chart["intake"],
            findings=checking.check_all(finding_paths.read_findings(said))[0], outcomes=chart[part]["outcomes"],
            conclusion=HOSTILE,
        )  # fmt: skip
        brought_in.close(evaluation, "signed", [])
    signing.add(evaluation, text=f"More. {HOSTILE}", reason="Forgotten <b>", by=chiro.user)
    return evaluation


@pytest.fixture
def read(sign_in, chiro):
    """`read(name, evaluation)` gives the main part of the page as source."""

    def act(name, evaluation, *more):
        answer = sign_in(chiro.user).get(reverse(name, args=[evaluation.pk, *more]))
        assert answer.status_code == 200
        return answer.content.decode().split("<main", 1)[1].split("</main>")[0]

    return act


def words(source):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", source)))


# --- for a clinician


def test_the_clinician_reads_every_value_with_its_status_unit_and_normal(read, second):
    page = read("evaluation-print", second)

    for _, lines in summary.lines(list(second.findings.all()), summary.who(second)):
        for line in lines:
            place = f'data-finding="{line.finding.code} {line.finding.qualifier_key}"'
            assert f"{place}>{html.escape(line.shown or line.status)}</span>" in page
    said = words(page)
    assert "Craniovertebral angle (CVA) 49.6 ° 50° or more lateral photo" in said
    assert "by two inclinometers" in said
    assert second.digest in said
    assert "(checked: unchanged)" in said


def test_what_a_result_lacks_is_printed_as_what_it_is(read, save, evaluation):
    refused = {"status": "refused", "value": None, "reason": "Declined a photograph."}
    deferred = {"status": "deferred_unsafe", "value": None, "reason": "Flag open."}
    save(
        {"code": "craniovertebral_angle", **refused},
        {"code": "frt", "qualifiers": {"side": "left"}, **deferred},
        {"code": "frt", "qualifiers": {"side": "right"}, **deferred},
        {"code": "spurling", "qualifiers": {"side": "left"}, "value": "negative"},
    )
    said = words(read("evaluation-print", evaluation))

    assert "Craniovertebral angle (CVA): refused" in said
    assert "Flexion-rotation test: deferred for safety" in said
    assert "Leg-length inequality (functional): not recorded" in said
    assert "Rotation of the trunk unknown Angle of trunk rotation: not recorded" in said


def test_part_is_read_with_what_speaks_for_each_letter(read, save, evaluation):
    def at(segment, side):
        return {"qualifiers": {"segment": segment, "side": side}}

    save(
        {"code": "seg_tenderness", **at("C1", "left"), "value": 2},
        {"code": "seg_tenderness", **at("C1", "right"), "value": 0},
        {"code": "seg_tone", **at("C2", "left"), "value": 0},
        {"code": "rom_flexion", "qualifiers": {"mode": "active"}, "value": 30},
        {"code": "leg_length_inequality", "status": "refused", "value": None, "reason": "No."},
    )
    said = words(read("evaluation-print", evaluation))

    tender, tone = (catalogue.FINDINGS[code].label for code in ("seg_tenderness", "seg_tone"))
    assert f"P: {tender} C1 left 2, Pain on palpation not recorded; A: " in said
    assert "Leg-length inequality (functional) refused; R: Flexion active 30°, Extension not recorded" in said
    assert f"T: {tone} no (1 looked at)" in said


def test_the_clinician_reads_results_with_their_inputs(read, second):
    said = words(read("evaluation-print", second))

    assert "Flexion-rotation test left negative, right negative Flexion-rotation test: left 45°, right 38°" in said
    assert "HIT-6 54, some 54" in said
    assert "Neck Disability Index 20.0 %, mild 1, 0, 1, 1, 2, 1, 1, 1, 1, 1" in said
    assert "7 of 13 signs of the neck present" in said
    assert "Migraine without aura (1.1) met" in said
    assert "Attacks so far, in all: 120" in said


@pytest.mark.parametrize(
    ("status", "said"),
    [("refused", "Refused (declined)"), ("not_assessable", "Not assessable (declined)"),
     ("deferred_unsafe", "Deferred for safety (declined)"), ("not_assessed", "Not assessed")],
)  # fmt: skip
def test_what_has_no_value_is_printed_as_itself(read, evaluation, save, status, said):
    reason = {"reason": "declined"} if status != "not_assessed" else {}
    save({"code": "heart_rate", "status": status, **reason}, {"code": "reflex", "value": 0,
          "qualifiers": {"reflex": "biceps", "side": "left"}})  # fmt: skip

    page = words(read("evaluation-print", evaluation))

    assert f"Pulse {said}" in page
    assert "biceps, left 0" in page  # zero is a value
    assert "Draft, not signed." in page


def test_what_nobody_recorded_is_printed_as_that_on_what_was_signed(read, answered, save, chiro):
    save(
        {"code": "frt", "qualifiers": {"side": "left"}, "value": 40},
        {"code": "spurling", "status": "refused", "reason": "Declined."},  # both sides at once
        {"code": "rom_pain", "qualifiers": {"mode": "active", "motion": "flexion"}, "value": 0},
        version=answered.version, outcomes={"nprs_neck": 0, "hit6_total": "not_asked"},
    )  # fmt: skip
    answered.refresh_from_db()
    signing.sign(answered, by=chiro.user)

    for name in ("evaluation-print", "evaluation"):
        page = words(read(name, answered))
        blank = " ".join(re.findall(r"Not recorded: [^.]*\.", page))

        assert "Flexion-rotation test (right)" in blank
        assert "Pain at end range (active extension, active left lateral flexion," in blank
        assert "active right rotation, passive)" in blank
        assert "Height; Weight" in blank
        assert "Headache, usual (0–10)" in blank
        assert "Spurling" not in blank
        assert "Neck pain, last 7 days (0–10) 0 " in page
        assert "HIT-6 total (36–78) not asked" in page
        assert "Conclusion Not recorded." in page


def test_what_is_blank_is_said_in_few_words():
    def said(*gone):
        return summary.blank(one for one in everywhere if not any(word in str(one.key) for word in gone))

    everywhere = [
        checking.Checked(entry.code, "assessed", place)
        for entry in catalogue.FINDINGS.values()
        for place in entry.places()
    ]

    assert not any(said().values())
    assert [len(names) for names in summary.blank([]).values()] == [
        len(catalogue.entries_of(code)) for code in catalogue.SECTIONS
    ]
    assert said("seg_tenderness")["segment_palpation"] == [catalogue.FINDINGS["seg_tenderness"].label]
    only = said("('seg_tenderness', 'segment=C1,side=left')", "('seg_tenderness', 'segment=T4")["segment_palpation"]
    assert only == [f"{catalogue.FINDINGS['seg_tenderness'].label} (C1 left, T4)"]


def test_flags_are_told_with_what_became_of_them(read, answered, patient, chiro):
    [event] = red_flags.answer(patient=patient, evaluation=answered, answers={"rf_chiari": "yes"}, by=chiro.user)
    red_flags.answer(patient=patient, evaluation=answered, answers={"rf_minor": "declined"}, by=chiro.user)
    detail = {"destination": "Neurology", "reason": "Signs", "date": "2026-11-04", "how_sent": "fax"}
    red_flags.resolve(
        event, resolution="referred_no_manual_care", by=chiro.user, rationale="Sent to a neurologist.", detail=detail
    )

    said = words(read("evaluation-print", answered))

    assert "referred no manual care" in said
    assert "Sent to a neurologist." in said
    assert "Restrictions: No manual care of the neck." in said
    assert "Open: no treatment of the neck" in said
    assert "no (44)" in said


def test_addenda_stand_in_their_place_and_hostile_text_is_text(read, second):
    page = read("evaluation-print", second)

    assert "This record has 1 addendum" in page
    assert words(page).index("Conclusion") < words(page).index("Addenda")
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}") == 2
    assert "Forgotten &lt;b&gt;" in page


# --- for the patient


@pytest.mark.parametrize("name", ["evaluation-report", "evaluation-then-and-now"])
def test_the_patient_is_told_nothing_that_the_evidence_does_not(read, second, name):
    said = words(read(name, second)).lower()

    assert [word for word in NOT_SAID if word in said] == []
    assert "49.6" not in said  # an angle whose bands are a convention
    assert "script" not in said


def test_the_patient_reads_their_own_numbers_and_what_a_change_can_be_taken_for(read, second):
    said = words(read("evaluation-report", second))

    assert "Days with migraine in 28 days 10 4 6 fewer Better" in said
    assert "How much headache gets in your way (HIT-6, from 36 to 78) 64 54 10 less Better" in said
    assert "How much your neck limits you (Neck Disability Index) 42 % 20 % 22 % less Better" in said
    assert "Bending your head back 50° 58° 8° more Within what the measurement can tell" in said
    assert "Turning your head to the right 56° 72° 16° more Better" in said
    assert "you said: much improved" in said
    assert "Left arm 118 over 76, in the usual range" in said


def test_a_first_evaluation_has_no_change_to_tell(read, evaluation, save):
    save({"code": "rom_flexion", "qualifiers": {"mode": "active"}, "value": 52}, outcomes={"nprs_neck": 0})

    said = words(read("evaluation-report", evaluation))

    assert "Neck pain in the last week, 0 to 10 0 " in said
    assert "Bending your head forward 52°" in said
    assert "Change" not in said
    assert "first evaluation" in words(read("evaluation-then-and-now", evaluation))


def test_a_patient_with_an_open_emergency_reads_that_first(read, answered, patient, chiro):
    red_flags.answer(patient=patient, evaluation=answered, answers={"rf_myelopathy": "yes"}, by=chiro.user)
    red_flags.stop(answered, by=chiro.user)

    said = words(read("evaluation-report", answered))

    assert "stopped for your safety" in said
    assert str(patient_words.FLAGS["rf_myelopathy"]) in said
    assert said.index("First of all") < said.index("What you told us")


@pytest.mark.parametrize("name", ["evaluation-report", "evaluation-then-and-now"])
def test_a_patient_who_reads_spanish_reads_it_in_spanish(read, second, patient, name):
    assert "Bending your head forward" in words(read(name, second))
    type(patient).objects.filter(pk=patient.pk).update(language="es")

    page = read(name, second)

    said = words(page)
    assert "Inclinar la cabeza hacia delante" in said
    assert "Lo que usted nos contó" in said
    assert "Dolor de cuello en la última semana, de 0 a 10" in said
    for english in ("Bending", "What you told us", "Neck pain", "Better", "First time", "Now"):
        assert english not in said, english
    assert "Results with their inputs" in words(read("evaluation-print", second))


def test_every_flag_that_needs_a_check_has_words_for_the_patient():
    assert set(patient_words.FLAGS) == {code for code, flag in catalogue.RED_FLAGS.items() if flag.tier != "caution"}


@pytest.mark.parametrize(
    ("before", "now", "meaning"),
    [(10, 5, "Better"), (10, 6, patient_words.DAYS_WITHIN), (10, 10, "The same"), (10, 12, patient_words.DAYS_WITHIN),
     (10, 13, "Worse"), (0, 1, "Worse"), (0, 0, "The same"), (4, 0, "Better"), (None, 4, ""), (4, None, "")],
)  # fmt: skip
def test_counted_days_count_from_half_fewer_on_and_a_third_more_is_never_hidden(before, now, meaning):
    assert meaning_of(before, now) == meaning


def test_days_counted_in_two_ways_are_not_compared():
    assert meaning_of(10, 5, "recall", "diary") == patient_words.METHOD
    assert meaning_of(10, 5, "diary", "diary") == "Better"


def meaning_of(before, now, *origins):
    first, second = origins or (None, None)
    then = Taken(Readings([]), {"migraine_days_28": before, "counts_origin": first})
    today = Taken(Readings([]), {"migraine_days_28": now, "counts_origin": second})
    found = compare_page.Compared(
        [], SimpleNamespace(measures=then.outcomes), None, [], comparison.scores(then, None, today), today
    )
    [line] = patient_words.scores(found)
    return line.meaning


def test_the_picture_shows_each_tender_place_on_its_side():
    found = Readings(
        checking.Checked("seg_tenderness", "assessed", {"segment": segment, "side": side}, grade)
        for segment, side, grade in (("C0", "left", 0), ("C1", "left", 1), ("C1", "right", 4), ("T4", "right", 2))
    )

    spots = neck_picture.tender(found)

    assert [(spot.words.split(":")[0][-10:], spot.grade) for spot in spots] == [
        ("(C1), left", 1), ("C1), right", 4), ("T4), right", 2),
    ]  # fmt: skip
    assert spots[0].x < 120 < spots[1].x  # seen from behind: the patient's left is on the left
    assert spots[0].r < spots[1].r


# --- as a PDF


def plain(content):
    """The PDF with its compressed streams opened."""
    found = b""
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found += zlib.decompress(stream)
        except zlib.error:
            found += stream
    return content + found


@pytest.mark.usefixtures("needs_pdf")
@pytest.mark.parametrize("form", ["clinician", "patient"])
def test_the_report_is_made_as_a_tagged_pdf_and_kept_in_the_audit(sign_in, chiro, second, form):
    answer = sign_in(chiro.user).get(reverse("evaluation-pdf", args=[second.pk, form]))

    content = plain(answer.content)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "no-store"
    assert "Testerson" not in answer["Content-Disposition"]
    assert content.startswith(b"%PDF-")
    assert b"StructTreeRoot" in content
    assert b"pdfuaid" in content
    assert AuditEntry.objects.filter(action="evaluation.pdf_made", about_id=second.pk, by=chiro.user).count() == 1


@pytest.mark.usefixtures("needs_pdf")
def test_a_pdf_fetches_nothing(monkeypatch):
    asked = []
    monkeypatch.setattr(pdf, "static_file", lambda url: asked.append(url) or pdf_refuses(url))
    names = ("http://203.0.113.9/x.png", "file:///etc/passwd", "/etc/passwd", "data:image/png;base64,AAAA")
    source = "".join(f'<img src="{name}" alt="x">' for name in names)

    content = pdf.render(f'<html lang="en"><title>x</title><p>Text</p>{source}</html>')

    assert content.startswith(b"%PDF-")
    assert set(asked) == {*names[:2], f"{pdf.PLACE}/etc/passwd", names[3]}  # each was asked of us, none of the network


def pdf_refuses(url):
    raise ValueError(url)


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x.css", "https://atlas.invalid.example.org/static/x.css", "file:///etc/passwd",
     f"{pdf.PLACE}/etc/passwd", f"{pdf.PLACE}/static/../clinic/settings.py", f"{pdf.PLACE}/static/%2e%2e/settings.py",
     f"{pdf.PLACE}/static/no/such.css", "data:text/css,x", ""],
)  # fmt: skip
def test_only_static_files_of_ours_are_given(url):
    with pytest.raises(ValueError, match="static file"):
        pdf.static_file(url)


def test_a_static_file_of_ours_is_given_with_its_kind():
    content, headers = pdf.static_file(f"{pdf.PLACE}/static/evaluations/report.css")

    assert b"@page" in content
    assert headers == {"Content-Type": "text/css"}


def test_where_no_pdf_can_be_made_the_page_says_so_and_is_printed(sign_in, chiro, second, monkeypatch):
    monkeypatch.setattr(pdf, "_engine", lambda: "The libraries of WeasyPrint do not load: no libgobject-2.0-0")

    answer = sign_in(chiro.user).get(reverse("evaluation-pdf", args=[second.pk, "patient"]))

    assert answer["Content-Type"].startswith("text/html")
    assert b"No PDF can be made on this machine: print this page instead." in answer.content
    assert not AuditEntry.objects.filter(action="evaluation.pdf_made").exists()


def test_libraries_that_do_not_load_are_a_sentence_and_no_fault(monkeypatch):
    def missing(name):
        raise OSError("cannot load library 'libgobject-2.0-0'\nmore lines")

    monkeypatch.setattr(pdf.importlib, "import_module", missing)
    pdf._engine.cache_clear()
    try:
        assert pdf.problem() == "The libraries of WeasyPrint do not load: cannot load library 'libgobject-2.0-0'"
        with pytest.raises(pdf.Unavailable):
            pdf.render("<p>x</p>")
    finally:
        monkeypatch.undo()
        pdf._engine.cache_clear()


def test_another_form_is_no_report(sign_in, chiro, evaluation):
    address = f"/evaluations/{evaluation.pk}/report/owner.pdf"
    assert sign_in(chiro.user).get(address).status_code == 404


def test_reading_and_printing_are_kept_in_the_audit(read, second, chiro):
    for name in ("evaluation-print", "evaluation-report"):
        read(name, second)

    kept = AuditEntry.objects.filter(action="evaluation.printed", about_id=second.pk, by=chiro.user)
    assert kept.count() == 2


def test_the_report_of_what_was_signed_keeps_the_intake_as_it_was(read, answered, patient, chiro):
    history_taking.confirm(answered, {"lifetime_attacks": 5}, version=0, by=chiro.user)
    signing.sign(answered, by=chiro.user)
    history_taking.confirm(
        recording.start(patient=patient, location=answered.location, by=chiro.user),
        {"lifetime_attacks": 77}, version=1, by=chiro.user,
    )  # fmt: skip

    said = words(read("evaluation-print", answered))

    assert "Attacks so far, in all: 5" in said
    assert "in all: 77" not in said


def test_a_stranger_gets_no_report(sign_in, nashville, second):
    stranger = make.practitioner(nashville).user
    for name, more in (("evaluation-report", []), ("evaluation-pdf", ["patient"]), ("evaluation-then-and-now", [])):
        assert sign_in(stranger).get(reverse(name, args=[second.pk, *more])).status_code == 404
