"""The board of the day follows what others do, without a reload."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from appointments import booking, visit_status
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
A_ROUND = 21_000  # milliseconds; the board asks every twenty seconds


def test_board_shows_what_somebody_else_did(opened, atlanta, chiro, patient, desk, adjustment):
    day = atlanta.today() + timedelta(days=14 - atlanta.today().weekday())
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(10, day=day), by=desk
    )
    page = opened(desk, "about:blank")
    page.clock.install()
    page.goto(f"/?day={day}")
    board = page.locator("#board")
    expect(board.locator(".is-column-due")).to_contain_text("Avery Testerson")
    expect(board).not_to_contain_text("Confirmed")

    visit_status.confirm(visit, by=desk)
    page.clock.run_for(A_ROUND)
    expect(board).to_contain_text("Confirmed")
    visit_status.cancel(visit, by=desk, reason="The patient called")
    page.clock.run_for(A_ROUND)

    expect(board.get_by_role("heading", name="Cancelled or missed")).to_be_visible()
    assert page.mistakes == []
