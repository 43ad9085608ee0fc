"""What a patient's phone loads before it shows anything: every page of patients, also those that are new."""

import pytest

from tests import weights
from tests.access import links, patient_pages, world


@pytest.fixture
def side(db):
    return world.build().here


def test_every_page_without_signing_in_is_a_patients_or_named_as_somebody_elses():
    others = {one.template for one in patient_pages.open_to_all()} - {
        one.template for one in patient_pages.of_patients()
    }

    assert others == patient_pages.OF_OTHERS


def test_every_page_of_patients_opens_with_at_most_100_kb(client, side):
    """Measured: 65 to 94 KB, 48 KB of which is the typeface."""
    pages = patient_pages.opened(side)
    client.post(f"/my/intake/{side.links['intake']}/", {"born_on": links.born(side)})
    answers = {path: client.get(path) for paths in pages.values() for path in paths}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
    heavy = {path: weights.weight(answer.content) for path, answer in answers.items()}
    assert {path: much for path, much in heavy.items() if much > weights.MOST} == {}


def test_bootstrap_on_such_a_page_would_be_noticed(client, db):
    page = client.get("/book/").content + b'<link rel="stylesheet" href="/static/lib/bootstrap.min.css">'

    assert weights.weight(page) > weights.MOST
