"""Codes are read by people in the words of the field, on every page that shows them."""

import re

import pytest
from django.urls import reverse

from evaluations import catalogue, field_words, signing

CODES = {
    code
    for entry in catalogue.FINDINGS.values()
    for codes in (entry.choices, entry.directions, *entry.qualifiers.values())
    for code in codes
}
# What is written so also in prose; anything else in lower case that reads as no word is a code.
ABBREVIATIONS = {"scm", "crom", "xray", "cbct", "ct", "mri", "cta_mra", "apom", "nucca", "ninds"}


def test_no_code_is_left_as_it_is_stored():
    assert CODES > ABBREVIATIONS
    assert not [code for code in CODES if "_" in field_words.spoken(code)]
    assert not [code for code in ABBREVIATIONS if code in field_words.spoken(code).split()]


@pytest.mark.parametrize(
    ("code", "words", "heading"),
    [
        ("scm", "sternocleidomastoid", "Sternocleidomastoid"),
        ("left_lateral_flexion", "left lateral flexion", "Left lateral flexion"),
        ("crom", "CROM", "CROM"),
        ("C1", "C1", "C1"),
        ("4-", "4-", "4-"),
        ("", "", ""),
    ],
)
def test_words_and_headings(code, words, heading):
    assert (field_words.spoken(code), field_words.heading(code)) == (words, heading)


def words_of(page):
    """What is read on the page, and what a screen reader says of its controls."""
    labels = " ".join(re.findall(r'(?:aria-label|placeholder|title|data-name)="([^"]*)"', page))
    return re.sub(r"<[^>]+>", " ", page) + labels


@pytest.fixture
def pages(answered, save, sign_in, chiro):
    """`pages(*names)`: what is read on each of these pages of an evaluation that has every kind of code in it."""
    muscle = {"muscle": "scm", "side": "left"}
    save(
        {"code": "muscle_tone", "qualifiers": muscle, "value": 2},
        {"code": "rom_instrument", "value": "crom"},
        {"code": "listing_system", "value": "palmer_hio"},
        {"code": "imaging_modality", "value": "xray", "note": "Before care."},
        {"code": "imaging_views", "value": ["apom", "ap_lower_cervical"]},
    )
    client = sign_in(chiro.user)

    def act(*names):
        read = {name: client.get(reverse(name, args=[answered.pk])) for name in names}
        assert {answer.status_code for answer in read.values()} == {200}
        return {name: words_of(answer.content.decode().split("<main", 1)[1]) for name, answer in read.items()}

    act.evaluation = answered
    return act


def test_pages_speak_the_words_of_the_field(pages, chiro):
    found = pages("evaluation", "evaluation-print", "evaluation-sign", "evaluation-compare", "evaluation-report")
    signing.sign(pages.evaluation, by=chiro.user)
    found["signed"] = pages("evaluation")["evaluation"]
    for name, said in found.items():
        assert not re.findall(r"\b(scm|crom|xray|apom|palmer[ _]hio|ap[ _]lower)\b", said), name
    for name in ("evaluation", "evaluation-print", "signed"):
        assert "sternocleidomastoid" in found[name].lower(), name
        assert "CROM" in found[name], name
