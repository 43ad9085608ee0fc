from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import booking, visit_status
from clinic import times
from dashboard import today
from evaluations.models import RedFlagEvent
from tests import make


@pytest.fixture
def book(atlanta, chiro, adjustment, desk):
    """`book(hour)` books a new patient in Atlanta on the tests' Monday."""

    def at(hour, **person):
        return booking.book(
            patient=make.patient(atlanta, **person), practitioner=chiro, location=atlanta, type=adjustment,
            starts_at=make.at(hour), by=desk,
        )  # fmt: skip

    return at


def read(place, user, day=make.MONDAY):
    [board] = today.read([place], user, day)
    return board


def _shown(board):
    columns = {column.code: [card.pk for card in column.cards] for column in board.columns}
    return {**columns, "gone": [card.pk for card in board.gone]}


@pytest.mark.usefixtures("that_morning")
def test_board_sorts_visits_by_where_they_are(atlanta, desk, book):
    ways = [[], ["arrive"], ["arrive", "start"], ["arrive", "start", "complete"], ["cancel"]]
    visits = [book(9 + n) for n in range(len(ways))]
    for visit, steps in zip(visits, ways, strict=True):
        for step in steps:
            visit_status.take(step, visit, by=desk, reason="Asked")

    board = read(atlanta, desk)

    due, arrived, in_room, done, gone = (visit.pk for visit in visits)
    assert _shown(board) == {"due": [due], "arrived": [arrived], "in_room": [in_room], "done": [done], "gone": [gone]}
    assert board.total == 5


def test_board_offers_the_step_forward_and_not_to_owners(atlanta, desk, owner, book):
    visit = book(9)

    ahead = read(atlanta, desk).columns[0].cards[0]
    with time_machine.travel(make.at(8, 50), tick=False):
        card = read(atlanta, desk).columns[0].cards[0]
        seen = read(atlanta, owner).columns[0].cards[0]

    assert (ahead.forward, [step.name for step in ahead.others]) == (None, ["confirm"])
    assert (card.forward.name, [step.name for step in card.others]) == ("arrive", ["confirm"])
    assert (seen.pk, seen.forward, seen.others, seen.undo) == (visit.pk, None, [], None)


@pytest.mark.usefixtures("that_morning")
def test_board_counts_the_minutes_of_waiting(atlanta, desk, book):
    visit = book(9)
    visit_status.arrive(visit, by=desk)
    visit.history.filter(step="arrived").update(at=times.now() - timedelta(minutes=12, seconds=30))

    card = read(atlanta, desk).columns[1].cards[0]

    assert card.minutes == 12


def test_board_of_another_day_or_location_is_empty(atlanta, marietta, desk, book):
    book(9)

    assert read(atlanta, desk, make.MONDAY + timedelta(days=1)).total == 0
    assert read(marietta, make.user("desk", marietta)).total == 0


def test_an_empty_board_leads_to_the_next_day_with_visits(atlanta, desk, book, sign_in):
    visit = book(9)
    before = make.MONDAY - timedelta(days=3)

    assert read(atlanta, desk, before).next_day == make.MONDAY
    assert read(atlanta, desk).next_day is None  # nothing is empty there
    assert read(atlanta, desk, make.MONDAY + timedelta(days=1)).next_day is None
    assert f"?day={make.MONDAY}" in sign_in(desk).get(f"/?day={before}").content.decode()
    visit_status.cancel(visit, by=desk, reason="Ill")
    assert read(atlanta, desk, before).next_day is None


def test_boards_side_by_side_each_with_its_own_clock_and_day(atlanta, nashville):
    both = make.user("desk", atlanta, nashville)

    with time_machine.travel(make.at(0, 30), tick=False):
        boards = today.read([atlanta, nashville], both)

    assert [(b.location, b.day, f"{b.clock:%H:%M %Z}", b.offset, b.is_today) for b in boards] == [
        (atlanta, make.MONDAY, "00:30 EST", -300, True),
        (nashville, make.MONDAY - timedelta(days=1), "23:30 CST", -360, True),
    ]


def test_board_shows_each_visit_at_its_own_place(atlanta, nashville, book, adjustment):
    here = book(9)
    there = booking.book(
        patient=make.patient(nashville), practitioner=make.practitioner(nashville), location=nashville,
        type=adjustment, starts_at=make.at(10), by=None, by_whom="patient",
    )  # fmt: skip

    boards = today.read([atlanta, nashville], make.user("desk", atlanta, nashville), make.MONDAY)

    assert [_shown(board)["due"] for board in boards] == [[here.pk], [there.pk]]
    assert boards[1].columns[0].cards[0].starts.hour == 9


def test_a_wrong_click_is_offered_back_for_half_an_hour(atlanta, desk, book):
    visit = book(9)
    with time_machine.travel(make.at(8, 50), tick=False) as clock:
        visit_status.arrive(visit, by=desk)
        visit_status.start(visit, by=desk)

        offered = read(atlanta, desk).columns[2].cards[0].undo
        visit_status.undo(visit, by=desk, expected=offered.pk)
        waiting = read(atlanta, desk).columns[1].cards[0]
        clock.shift(timedelta(minutes=31))

        assert offered.step == "started"
        assert (waiting.since, waiting.undo.step) == (make.at(8, 50), "arrived")
        assert read(atlanta, desk).columns[1].cards[0].undo is None


def test_poll_says_nothing_until_something_changed(desk, book, sign_in):
    visit = book(9)
    client = sign_in(desk)
    htmx = {"HX-Request": "true"}
    seen = client.get(f"/?day={make.MONDAY}").context["version"]

    same = client.get(f"/?day={make.MONDAY}&seen={seen}", headers=htmx)
    visit_status.confirm(visit, by=desk)
    changed = client.get(f"/?day={make.MONDAY}&seen={seen}", headers=htmx)

    assert (same.status_code, same.content) == (204, b"")
    assert (changed.status_code, "Confirmed" in changed.content.decode()) == (200, True)


def test_minutes_that_pass_are_no_news(atlanta, desk, book):
    visit = book(9)
    with time_machine.travel(make.at(8, 50), tick=False) as clock:
        visit_status.arrive(visit, by=desk)
        versions = []
        for _ in range(2):
            versions.append(today.version(today.read([atlanta], desk)))
            clock.shift(timedelta(minutes=3))

    assert versions[0] == versions[1]


def test_answer_to_a_step_is_the_board_with_what_was_said(desk, book, sign_in):
    visit = book(9)
    client = sign_in(desk)

    step = {"step": "confirm", "next": f"/?day={make.MONDAY}"}
    answer = client.post(f"/appointments/{visit.pk}/step/", step, headers={"HX-Request": "true"}, follow=True)

    page = answer.content.decode()
    assert "Avery Testerson: confirmed." in page
    assert 'hx-swap-oob="true"' in page
    assert 'id="board"' in page
    assert "<html" not in page


def test_page_asks_the_same_queries_for_one_and_three(desk, book, sign_in):
    client = sign_in(desk)
    counts = []
    for hours in ((9,), (10, 11)):
        for hour in hours:
            book(hour)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(f"/?day={make.MONDAY}")
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 8


def test_page_shows_the_day_asked_for_and_the_fragment_alone(desk, book, sign_in):
    book(9, given="Zora")
    client = sign_in(desk)

    page = client.get(f"/?day={make.MONDAY}").content.decode()
    fragment = client.get(f"/?day={make.MONDAY}", headers={"HX-Request": "true"}).content.decode()

    assert "Zora" in page
    assert "Zora" in fragment
    assert ("<html" in page, "<html" in fragment) == (True, False)


@pytest.mark.parametrize(
    "day", ["2027-13-01", "tomorrow", "0001-01-01", "9999-12-31", "2099-12-31", "\x00", "1/4/2027"]
)
def test_page_of_a_bad_day_is_today_with_a_word(atlanta, desk, sign_in, day):
    answer = sign_in(desk).get("/", {"day": day})

    assert answer.status_code == 200
    assert answer.context["boards"][0].day == atlanta.today()
    assert len(answer.context["messages"]) == 1


def test_page_without_a_location_says_what_to_do(db, sign_in):
    page = sign_in(make.user("owner")).get("/").content.decode()

    assert "You have no location yet" in page


@pytest.mark.usefixtures("that_morning")
def test_button_on_the_board_takes_the_step_and_comes_back(atlanta, desk, book, sign_in):
    visit = book(9)

    answer = sign_in(desk).post(f"/appointments/{visit.pk}/step/", {"step": "arrive", "next": "/"})

    visit.refresh_from_db()
    assert (answer.url, visit.status) == ("/", "arrived")


@pytest.mark.usefixtures("that_morning")
def test_button_on_a_stale_board_changes_nothing(desk, book, sign_in):
    visit, client = book(9), sign_in(desk)
    fields = {"step": "arrive", "next": "/", "seen": visit.sequence}
    assert f'name="seen" value="{visit.sequence}"' in client.get("/").content.decode()
    booking.reschedule(visit, starts_at=make.at(14), by=desk)

    answer = client.post(f"/appointments/{visit.pk}/step/", fields, headers={"HX-Request": "true"}, follow=True)

    visit.refresh_from_db()
    assert visit.status == "booked"
    assert "Somebody changed the visit meanwhile" in answer.content.decode()


def test_open_flags_only_for_clinicians_of_the_patient(atlanta, marietta, chiro, desk, patient):
    stranger = make.patient(marietta)
    now = times.now()
    for person, tier, resolved in (
        (patient, "emergency", None), (patient, "caution", None), (patient, "urgent", now), (stranger, "urgent", None),
    ):  # fmt: skip
        RedFlagEvent.objects.create(
            patient=person, code=f"flag-{tier}", tier=tier, answer="yes", opened_at=now, resolved_at=resolved
        )

    seen = today.open_flags(chiro.user)

    assert [(flag["event"].patient, flag["event"].tier) for flag in seen] == [(patient, "emergency")]
    assert today.open_flags(desk) == []


def test_auditor_lands_on_the_first_page_of_the_rail(db, sign_in):
    answer = sign_in(make.user("auditor")).get("/")

    assert (answer.status_code, answer.url) == (302, "/messages/")


def test_without_a_role_nothing_opens(db, sign_in):
    nobody = make.user("desk")
    nobody.assignments.all().delete()

    assert sign_in(nobody).get("/").status_code == 403
