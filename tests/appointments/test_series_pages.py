from datetime import date, time, timedelta

import pytest

from appointments import booking, visit_status
from appointments.models import Appointment, Series
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from locations.models import Closure
from tests import make
from tests.make import MONDAY, at

TEN = time(10)


@pytest.fixture
def asked(patient, adjustment, chiro):
    return {
        "patient": patient.pk, "type": "adjustment", "location": "atlanta", "practitioner": chiro.pk,
        "starts_on": "2027-01-04", "weekdays": ["0", "2"], "at_time": "10:00", "per_week_1": "2", "weeks_1": "2",
    }  # fmt: skip


@pytest.fixture
def begun(patient, adjustment, chiro, atlanta, desk):
    return series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(2, 2),), (0, 2), TEN),
    )  # fmt: skip


@pytest.fixture
def placed(begun, chiro, desk):
    days = [MONDAY + timedelta(n) for n in (0, 2, 7, 9)]
    return series.place(begun, {n: Choice(at(10, day=day), chiro) for n, day in enumerate(days, 1)}, by=desk)


def chosen(answer):
    """The rows as they are sent back: what is chosen, and of visits that move which one that was decided upon."""
    rows = answer.context["rows"]
    seen = {f"seen-{row.key}": row.seen for row in rows if row.seen is not None}
    return seen | {row.name: row.chosen.value if row.chosen else "skip" for row in rows}


def days(answer):
    return [row.line.slot and row.line.slot.local_start.date() for row in answer.context["rows"]]


def starts():
    return [v.local_start.date() for v in Appointment.objects.holding_time().order_by("starts_at").with_names()]


def test_the_form_starts_as_the_patient_was_last_seen(sign_in, desk, patient, adjustment, chiro, atlanta):
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk)

    form = sign_in(desk).get("/series/new/", {"patient": patient.pk}).context["form"]

    assert (form["practitioner"].value(), form["location"].value()) == (chiro.pk, "atlanta")


def test_from_a_pattern_to_the_calendar(sign_in, desk, asked, atlanta):
    Closure.objects.create(location=atlanta, starts_on=date(2027, 1, 6), ends_on=date(2027, 1, 6), reason="Holiday")
    client = sign_in(desk)

    shown = client.get("/series/new/", asked)
    assert days(shown) == [date(2027, 1, d) for d in (4, 5, 11, 13)]
    assert shown.context["summary"] == {"visits": 4, "as_wished": 3, "elsewhere": 1, "none": 0}
    assert "Atlanta is closed on January 6." in shown.content.decode()
    answer = client.post("/series/new/", {**asked, **chosen(shown), "visit-3": "skip", "skip_reason": "Away"})

    made = Series.objects.get()
    assert answer.url == f"/series/{made.pk}/"
    assert starts() == [date(2027, 1, d) for d in (4, 5, 13)]
    page = client.get(answer.url).content.decode()
    assert "3 visits on the calendar." in page
    assert "1 visit left out: listed as owed until placed." in page
    assert "skipped: Away" in page


def test_a_time_taken_meanwhile_comes_back_marked_and_proposed_anew(sign_in, desk, asked, chiro, atlanta, adjustment):
    client = sign_in(desk)
    sent = {**asked, **chosen(client.get("/series/new/", asked)), "visit-4": "skip"}
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=at(10, day=date(2027, 1, 6)), by=desk,
    )  # fmt: skip

    answer = client.post("/series/new/", sent)

    assert (answer.status_code, answer.context["refused"]) == (
        409, "Nothing was changed: 1 of 3 times cannot be had.",
    )  # fmt: skip
    rows = answer.context["rows"]
    assert [row.fault for row in rows] == ["", "Robin Sample, DC already has a visit then.", "", ""]
    assert [row.is_skipped for row in rows] == [False, False, False, True]
    assert rows[1].chosen.slot.local_start.time() == time(9, 45)
    assert not Series.objects.exists()
    client.post("/series/new/", {**asked, **chosen(answer)})
    assert len(starts()) == 4  # with the other patient's


def test_a_row_is_asked_for_more_times_and_the_rest_of_the_page_stays(sign_in, desk, asked, chiro):
    client = sign_in(desk)
    shown = client.get("/series/new/", asked)
    sent = {**asked, **chosen(shown), "visit-2": f"{at(15, day=date(2027, 1, 7)).isoformat()}|{chiro.pk}",
            "visit-4": "skip", "skip_reason": "Away"}  # fmt: skip

    answer = client.post("/series/new/", {**sent, "further": "1"})
    again = client.post("/series/new/", {**sent, "more": "1", "further": "3"})

    assert (answer.status_code, answer.context["skip_reason"], starts()) == (200, "Away", [])
    assert chosen(answer) == {name: sent[name] for name in chosen(answer)}
    few, many = ([len(row.options) for row in one.context["rows"]] for one in (shown, answer))
    assert (many[0] > 2 * few[0], many[2]) == (True, few[2])
    assert [row.is_more for row in again.context["rows"]] == [True, False, True, False]
    page = answer.content.decode()
    assert '<input type="hidden" name="more" value="1">' in page
    assert 'id="row-1" tabindex="-1" autofocus' in page
    assert client.post("/series/new/", {**sent, "more": "1"}).status_code == 302
    assert starts() == [date(2027, 1, d) for d in (4, 7, 11)]


def test_more_times_for_a_row_that_had_none(sign_in, desk, asked, atlanta):
    Closure.objects.create(location=atlanta, starts_on=date(2027, 1, 4), ends_on=date(2027, 1, 17), reason="Flood")
    client = sign_in(desk)
    shown = client.get("/series/new/", asked)
    assert days(shown) == [None, None, None, date(2027, 1, 18)]
    assert "Nothing else is free in this week and until the next visit." in shown.content.decode()

    answer = client.post("/series/new/", {**asked, **chosen(shown), "further": "1"})

    assert days(answer) == [date(2027, 1, 19), None, None, date(2027, 1, 18)]
    assert [row.is_skipped for row in answer.context["rows"]] == [False, True, True, False]


@pytest.mark.parametrize("name", ["more", "further"])
@pytest.mark.parametrize("key", ["99", "x", "\x00", ""])
def test_more_times_for_no_row_is_nothing(sign_in, desk, asked, name, key):
    client = sign_in(desk)
    sent = {**asked, **chosen(client.get("/series/new/", asked)), name: key}

    assert client.post("/series/new/", sent).status_code in {200, 302}


def test_what_is_posted_is_not_trusted(sign_in, desk, asked, chiro):
    client = sign_in(desk)
    sent = {**asked, **chosen(client.get("/series/new/", asked))}

    night = client.post("/series/new/", {**sent, "visit-1": f"2027-01-04T03:00:00-05:00|{chiro.pk}"})
    past = client.post("/series/new/", {**sent, "visit-2": f"2020-01-06T10:00:00-05:00|{chiro.pk}"})
    twice = client.post("/series/new/", {**sent, "visit-2": sent["visit-1"]})

    assert [(a.status_code, [row.key for row in a.context["rows"] if row.fault]) for a in (night, past, twice)] == [
        (409, ["1"]), (409, ["2"]), (409, ["2"]),
    ]  # fmt: skip
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    "value",
    ["", "x", "|", "2027-01-04T10:00:00-05:00", "2027-01-04T10:00:00|1", "9999-12-31T23:59:59Z|1", "\x00|1",
     "2027-01-04T10:00:00-05:00|999999999999999999", "2027-01-04T10:00:00-05:00|99999999999999999999999", "٣|٣"],
)  # fmt: skip
def test_a_choice_that_was_not_offered_is_refused(sign_in, desk, asked, value):
    client = sign_in(desk)
    sent = {**asked, **chosen(client.get("/series/new/", asked)), "visit-1": value}

    answer = client.post("/series/new/", sent)

    assert (answer.status_code, [row.key for row in answer.context["rows"] if row.fault]) == (400, ["1"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekdays": ["0"]}, "weekdays"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": ["9"]}, "weekdays"),
        ({"per_week_1": "8"}, "per_week_1"),
        ({"weeks_1": ""}, "weeks_1"),
        ({"every_1": "0"}, "every_1"),
        ({"every_1": "13"}, "every_1"),
        ({"per_week_2": "2"}, "weeks_2"),
        ({"weeks_1": "5000000000000000000000"}, "weeks_1"),
        ({"starts_on": "2099-01-01"}, "starts_on"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"at_time": "25:00"}, "at_time"),
        ({"type": "magic"}, "type"),
        ({"location": "nowhere"}, "location"),
        ({"practitioner": "0"}, "practitioner"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_at_its_field(sign_in, desk, asked, change, field):
    answer = sign_in(desk).get("/series/new/", {**asked, **change})

    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])


def test_a_visit_every_so_many_weeks_is_proposed(sign_in, desk, asked):
    client = sign_in(desk)
    rare = asked | {"per_week_1": "1", "every_1": "2", "weeks_1": "6", "weekdays": ["0"]}

    shown = client.get("/series/new/", rare)
    twice = client.get("/series/new/", rare | {"per_week_1": "2", "weekdays": ["0", "2"]})

    assert days(shown) == [MONDAY, MONDAY + timedelta(14), MONDAY + timedelta(28)]
    assert (twice.status_code, twice.context["form"].errors["per_week_1"]) == (400, ["Every 2 weeks it is one visit."])
    assert client.post("/series/new/", rare | chosen(shown)).status_code == 302
    assert Series.objects.get().as_pattern.stretches == (Stretch(1, 6, 2),)


@pytest.mark.parametrize("patient", ["", "x", "-1", "9" * 30])
def test_a_series_is_somebodys(sign_in, desk, patient):
    assert sign_in(desk).get("/series/new/", {"patient": patient}).status_code == 400


def test_the_re_evaluation_is_proposed_after_its_visit(sign_in, desk, asked):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation")

    shown = sign_in(desk).get("/series/new/", {**asked, "checkpoint_after": "2"})

    assert [row.line.wish.label for row in shown.context["rows"]] == [
        "Visit 1", "Visit 2", "Re Evaluation", "Visit 4", "Visit 5",
    ]  # fmt: skip


def test_place_what_is_owed(sign_in, begun, desk):
    client = sign_in(desk)
    address = f"/series/{begun.pk}/place/"

    shown = client.get(address)
    assert days(shown) == [date(2027, 1, d) for d in (4, 6, 11, 13)]
    other = {"weekdays": ["1", "3"], "at_time": "15:00"}
    shown = client.get(address, other)
    answer = client.post(address, {**other, **chosen(shown)}, follow=True)

    assert "4 visits on the calendar." in answer.content.decode()
    assert starts() == [date(2027, 1, d) for d in (5, 7, 12, 14)]
    assert "Nothing is owed" in client.get(address).content.decode()


@pytest.mark.parametrize("change", [{"weekdays": ["0"]}, {"weekdays": []}, {"at_time": "x"}, {"stretch": "9"}])
def test_place_refuses_bad_input(sign_in, begun, desk, change):
    given = {"weekdays": ["0", "2"], "at_time": "10:00", **change}

    answer = sign_in(desk).get(f"/series/{begun.pk}/place/", given)

    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or "stretch" in change  # one stretch: nothing to choose


def test_waive(sign_in, begun, desk):
    client = sign_in(desk)

    client.post(f"/series/{begun.pk}/waive/", {"visit": "2", "reason": "Feels well"})
    refused = client.post(f"/series/{begun.pk}/waive/", {"visit": "2", "reason": "Again"}, follow=True)
    client.post(f"/series/{begun.pk}/waive/", {"visit": "x", "reason": "Again"})

    assert "no longer wanted: Feels well" in refused.content.decode()
    assert begun.visits.owed().count() == 3


def test_cancel_this_and_later(sign_in, placed, begun, desk):
    client = sign_in(desk)
    address = f"/appointments/{placed[1].pk}/series-cancel/"
    assert [len(found) for found in client.get(address).context["members"].values()] == [4, 3]

    refused = client.post(address, {"scope": "later", "still_wanted": "yes", "reason": ""})
    answer = client.post(address, {"scope": "later", "still_wanted": "no", "reason": "Moves away"}, follow=True)

    assert (refused.status_code, list(refused.context["form"].errors)) == (400, ["reason"])
    assert "3 visits cancelled." in answer.content.decode()
    assert (starts(), begun.visits.owed().count()) == ([MONDAY], 0)


def test_move_this_and_later(sign_in, placed, desk):
    client = sign_in(desk)
    address = f"/appointments/{placed[1].pk}/series-move/"
    asked = {"scope": "later", "day": "2027-01-07", "time": "15:00"}
    assert client.get(address).status_code == 200

    shown = client.get(address, asked)
    assert [row.line.wish.label for row in shown.context["rows"]] == ["Visit 2", "Visit 3", "Visit 4"]
    answer = client.post(address, {**asked, **chosen(shown), f"visit-{placed[2].pk}": "skip"}, follow=True)

    assert "2 visits moved." in answer.content.decode()
    assert starts() == [date(2027, 1, d) for d in (4, 7, 11, 14)]
    assert placed[1].history.last().step == "rescheduled"


def test_move_all_a_day_on_though_they_stand_in_each_others_way(sign_in, begun, chiro, desk):
    choices = {n: Choice(at(10, day=date(2027, 1, 3 + n)), chiro) for n in range(1, 5)}
    visits = series.place(begun, choices, by=desk)
    asked = {"scope": "all", "day": "2027-01-05", "time": "10:00"}
    client = sign_in(desk)
    address = f"/appointments/{visits[0].pk}/series-move/"

    client.post(address, {**asked, **chosen(client.get(address, asked))})

    assert starts() == [date(2027, 1, d) for d in (5, 6, 7, 8)]


def test_a_refused_move_moves_nothing(sign_in, placed, desk, chiro):
    asked = {"scope": "all", "day": "2027-01-05", "time": "10:00"}
    client = sign_in(desk)
    address = f"/appointments/{placed[0].pk}/series-move/"
    sent = {
        **asked,
        **chosen(client.get(address, asked)),
        f"visit-{placed[0].pk}": f"2027-01-05T03:00:00-05:00|{chiro.pk}",
    }

    answer = client.post(address, sent)

    assert (answer.status_code, [row.key for row in answer.context["rows"] if row.fault]) == (409, [str(placed[0].pk)])
    assert starts() == [date(2027, 1, d) for d in (4, 6, 11, 13)]


def test_a_visit_moved_by_a_colleague_meanwhile_is_not_put_elsewhere_unseen(sign_in, placed, desk):
    asked = {"scope": "all", "day": "2027-01-05", "time": "10:00"}
    client = sign_in(desk)
    address = f"/appointments/{placed[0].pk}/series-move/"
    sent = {**asked, **chosen(client.get(address, asked))}
    booking.reschedule(placed[2], starts_at=at(15, day=date(2027, 1, 14)), by=desk)

    stale = client.post(address, sent)
    before = starts()
    again = client.post(address, {**asked, **chosen(stale)})

    assert (stale.status_code, [row.key for row in stale.context["rows"] if row.fault]) == (409, [str(placed[2].pk)])
    assert "It is now: Thursday, January 14, 2027 at 3:00 PM EST" in stale.content.decode()
    assert before == [date(2027, 1, d) for d in (4, 6, 13, 14)]
    assert again.status_code == 302


def test_asking_for_more_times_does_not_take_a_change_for_seen(sign_in, placed, desk):
    asked = {"scope": "all", "day": "2027-01-05", "time": "10:00"}
    client = sign_in(desk)
    address = f"/appointments/{placed[0].pk}/series-move/"
    sent = {**asked, **chosen(client.get(address, asked))}
    booking.reschedule(placed[2], starts_at=at(15, day=date(2027, 1, 11)), by=desk)

    shown = client.post(address, {**sent, "further": f"{placed[1].pk}"})
    answer = client.post(address, {**asked, **chosen(shown)})

    assert (answer.status_code, starts()) == (409, [date(2027, 1, d) for d in (4, 6, 11, 13)])


def test_a_visit_cancelled_meanwhile_refuses_the_move_of_all(sign_in, placed, desk):
    asked = {"scope": "all", "day": "2027-01-05", "time": "10:00"}
    client = sign_in(desk)
    address = f"/appointments/{placed[0].pk}/series-move/"
    sent = {**asked, **chosen(client.get(address, asked))}
    visit_status.cancel(placed[2], by=desk)

    answer = client.post(address, sent)

    assert (answer.status_code, starts()) == (409, [date(2027, 1, d) for d in (4, 6, 13)])


def test_the_page_of_a_visit_says_that_it_is_one_of_a_series(sign_in, placed, desk):
    page = sign_in(desk).get(f"/appointments/{placed[1].pk}/").content.decode()

    assert "What you do on this page touches only this visit." in page
    assert f"/appointments/{placed[1].pk}/series-move/" in page


def test_a_visit_outside_a_series_has_no_series_pages(sign_in, desk, patient, chiro, atlanta, adjustment):
    visit = booking.book(
        patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )

    client = sign_in(desk)
    assert [client.get(f"/appointments/{visit.pk}/series-{way}/").status_code for way in ("move", "cancel")] == [
        404
    ] * 2


def test_who_may(sign_in, placed, begun, owner, marietta, patient):
    auditor, elsewhere = make.user("auditor"), make.user("desk", marietta)
    addresses = [
        f"/series/new/?patient={patient.pk}", f"/series/{begun.pk}/", f"/series/{begun.pk}/place/",
        f"/appointments/{placed[0].pk}/series-move/", f"/appointments/{placed[0].pk}/series-cancel/",
    ]  # fmt: skip

    found = {who.email: [sign_in(who).get(a).status_code for a in addresses] for who in (owner, auditor, elsewhere)}

    assert list(found.values()) == [[403, 200, 403, 403, 403], [403] * 5, [404] * 5]
    assert sign_in(elsewhere).post(f"/series/{begun.pk}/waive/", {"visit": "1", "reason": "No"}).status_code == 404


def test_the_queries_of_the_pages(sign_in, asked, begun, desk, django_assert_max_num_queries):
    client = sign_in(desk)
    with django_assert_max_num_queries(45):
        client.get("/series/new/", asked)
    with django_assert_max_num_queries(45):
        client.get(f"/series/{begun.pk}/place/")
    with django_assert_max_num_queries(12):
        client.get(f"/series/{begun.pk}/")


def test_a_visit_at_a_clinic_nearby_where_the_usual_one_is_full(sign_in, asked, atlanta, marietta, chiro):
    make.travel(atlanta, marietta, 35)
    make.practitioner(marietta, name="Kim Near")
    client = sign_in(make.user("desk", atlanta, marietta))
    chiro.time_off.create(starts_at=at(0) - timedelta(days=300), ends_at=at(0) + timedelta(days=300))

    page = client.get("/series/new/", {**asked, "within": "40"})
    values = chosen(page)
    answer = client.post("/series/new/", {**asked, "within": "40", **values})

    assert all(value.endswith("|marietta") for value in values.values())
    assert "Kim Near, DC, Marietta" in page.content.decode()
    assert answer.status_code == 302
    assert {visit.location for visit in Appointment.objects.all()} == {marietta}
