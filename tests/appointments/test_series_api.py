from datetime import time, timedelta

import pytest
import time_machine

from appointments import booking, visit_status
from appointments.models import Appointment, Series, SeriesVisit
from clinic import times
from tests import make
from tests.make import MONDAY, at

NOW = at(9, day=MONDAY - timedelta(days=4))
SERIES = "/api/v1/series/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def asked(patient, chiro, atlanta, adjustment):
    return {
        "patient": patient.pk, "type": "adjustment", "location": "atlanta", "practitioner": chiro.pk,
        "starts_on": "2027-01-04", "stretches": [{"visits_per_week": 3, "weeks": 2}], "weekdays": [0, 2, 4],
        "at_time": "10:00",
    }  # fmt: skip


def chosen(proposal):
    """What is proposed, as it is sent back."""
    return [
        {"number": one["number"], "starts_at": one["proposed"]["starts_at"],
         "practitioner": one["proposed"]["practitioner"]["id"]}
        for one in proposal["visits"]
    ]  # fmt: skip


@pytest.fixture
def made(api, desk, asked):
    """A series of six visits, all on the calendar."""
    proposal = api(desk).post(f"{SERIES}propose/", asked).json()
    answer = api(desk).post(SERIES, {**asked, "visits": chosen(proposal)})
    assert answer.status_code == 201
    return answer.json()


def days():
    return [f"{times.local(v.starts_at, 'America/New_York'):%a %d %H:%M}" for v in Appointment.objects.holding_time()]


def test_a_series_at_no_time_that_is_offered_gets_the_nearest_ones_and_the_desk_types_the_other(
    api, desk, asked, patient, chiro
):
    proposal = api(desk).post(f"{SERIES}propose/", {**asked, "at_time": "10:08"}).json()
    typed = {"patient": patient.pk, "practitioner": chiro.pk, "location": "atlanta", "type": "adjustment",
             "starts_at": at(10, 8).isoformat()}  # fmt: skip
    booked = api(desk).post("/api/v1/appointments/", typed, headers={"Idempotency-Key": "typed"})

    assert {one["why"] for one in proposal["visits"]} == {
        "10:08 AM is not offered: such visits begin every 15 minutes."
    }
    assert {one["proposed"]["starts_at"][11:16] for one in proposal["visits"]} == {"10:15"}
    assert (booked.status_code, days()) == (201, ["Mon 04 10:08"])


def somebody_at(patient_of, chiro, atlanta, adjustment, desk, starts_at):
    return booking.book(
        patient=make.patient(patient_of), practitioner=chiro, location=atlanta, type=adjustment, starts_at=starts_at,
        by=desk,
    )  # fmt: skip


def test_every_visit_is_proposed_with_its_conflict_and_the_nearest_times(api, desk, asked, chiro, atlanta, adjustment):
    somebody_at(atlanta, chiro, atlanta, adjustment, desk, at(10, day=MONDAY + timedelta(days=2)))

    answer = api(desk).post(f"{SERIES}propose/", asked)

    said = answer.json()
    assert (answer.status_code, said["summary"]) == (200, {"as_wished": 5, "elsewhere": 1, "none": 0})
    second = said["visits"][1]
    assert (second["number"], second["wanted_on"], second["why"]) == (
        2, "2027-01-06", "Robin Sample, DC already has a visit then.",
    )  # fmt: skip
    assert second["proposed"]["starts_at"] == "2027-01-06T09:45:00-05:00"
    assert second["others"]
    assert not Series.objects.exists()


def test_what_was_chosen_is_booked_and_a_repeat_books_nothing_more(api, desk, asked):
    visits = chosen(api(desk).post(f"{SERIES}propose/", asked).json())
    visits[5] = {"number": 6, "skip": "Away that day"}
    body = {**asked, "visits": visits}

    answers = [api(desk).post(SERIES, body, headers={"Idempotency-Key": "s"}) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert days() == ["Mon 04 10:00", "Wed 06 10:00", "Fri 08 10:00", "Mon 11 10:00", "Wed 13 10:00"]
    assert [one["state"] for one in answers[0].json()["visits"]] == ["placed"] * 5 + ["skipped"]
    assert answers[0].json()["visits"][5]["reason"] == "Away that day"
    debts = api(desk).get(f"{SERIES}debts/").json()["results"]
    assert [(one["number"], one["skipped_reason"]) for one in debts] == [(6, "Away that day")]


def test_taken_meanwhile_nothing_of_it_is_booked(api, desk, asked, chiro, atlanta, adjustment):
    visits = chosen(api(desk).post(f"{SERIES}propose/", asked).json())
    somebody_at(atlanta, chiro, atlanta, adjustment, desk, at(10, day=MONDAY + timedelta(days=2)))

    answer = api(desk).post(SERIES, {**asked, "visits": visits}, headers={"Idempotency-Key": "s"})

    assert (answer.status_code, answer.json()["fields"]) == (
        409, {"2": "Robin Sample, DC already has a visit then."},
    )  # fmt: skip
    assert Appointment.objects.count() == 1
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"stretches": []}, ["stretches"]),
        ({"stretches": [{"visits_per_week": 8, "weeks": 1}]}, ["stretches.0.visits_per_week"]),
        ({"stretches": [{"visits_per_week": 3}]}, ["stretches.0.weeks"]),
        ({"stretches": [{"visits_per_week": 7, "weeks": 52}] * 2}, ["stretches", "weekdays"]),
        ({"weekdays": [0]}, ["weekdays"]),
        ({"weekdays": [9]}, ["weekdays.0"]),
        ({"at_time": "25:00"}, ["at_time"]),
        ({"starts_on": "0001-01-01"}, ["starts_on"]),
        ({"starts_on": "2031-01-01"}, ["starts_on"]),
        ({"practitioner": 987654}, ["practitioner"]),
        ({"checkpoint_after": 3}, ["checkpoint_after"]),
        ({"surprise": True}, ["surprise"]),
    ],
)
def test_a_wrong_pattern_names_the_field(api, desk, asked, wrong, fields):
    answer = api(desk).post(f"{SERIES}propose/", asked | wrong)

    assert (answer.status_code, sorted(answer.json()["fields"])) == (400, fields)


@pytest.mark.parametrize(
    ("visits", "fields"),
    [
        ([], ["visits"]),
        ([{"number": 1, "skip": "x"}], ["2", "3", "4", "5", "6"]),
        ([{"number": n, "skip": "x"} for n in (1, 2, 3, 4, 5, 6, 7)], ["7"]),
        ([{"number": n, "skip": "x"} for n in (1, 1, 2, 3, 4, 5, 6)], ["1"]),
        ([{"number": n} for n in range(1, 7)], ["1", "2", "3", "4", "5", "6"]),
    ],
)
def test_every_visit_is_chosen_once(api, desk, asked, visits, fields):
    answer = api(desk).post(SERIES, {**asked, "visits": visits})

    assert (answer.status_code, sorted(answer.json()["fields"])) == (400, fields)
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("this", ["Mon 04 10:00", "Thu 07 11:00", "Fri 08 10:00", "Mon 11 10:00", "Wed 13 10:00", "Fri 15 10:00"]),
        ("this_and_later", ["Mon 04 10:00", "Thu 07 11:00", "Tue 12 11:00", "Thu 14 11:00"]),
        ("all", ["Tue 05 11:00", "Thu 07 11:00", "Tue 12 11:00", "Thu 14 11:00"]),
    ],
)
def test_a_move_reaches_as_far_as_it_says(api, desk, made, scope, expected):
    # Visits 3 and 6 are on Fridays: a day on is a Saturday, when nobody works.
    for number in (3, 6) if scope != "this" else ():
        visit_status.cancel(Appointment.objects.get(series_visit__number=number), by=desk)
    second = made["visits"][1]["appointment"]
    body = {"appointment": second, "scope": scope, "day": "2027-01-07", "at_time": "11:00"}

    proposal = api(desk).post(f"{SERIES}{made['id']}/propose-move/", body).json()
    answer = api(desk).post(f"{SERIES}{made['id']}/move/", body)

    assert answer.status_code == 200
    assert len(answer.json()["moved"]) == len(proposal["visits"])
    assert days() == expected


def test_a_move_that_cannot_be_had_as_wished_changes_nothing(api, desk, made):
    before = days()
    body = {"appointment": made["visits"][1]["appointment"], "scope": "all", "day": "2027-01-07", "at_time": "11:00"}

    answer = api(desk).post(f"{SERIES}{made['id']}/move/", body)

    fridays = {str(made["visits"][n]["appointment"]) for n in (2, 5)}
    assert (answer.status_code, answer.json()["code"], set(answer.json()["fields"])) == (409, "conflicts", fridays)
    assert days() == before


def test_a_move_to_chosen_times(api, desk, made, chiro):
    starts = {4: at(15, day=MONDAY + timedelta(days=8)), 5: at(15, day=MONDAY + timedelta(days=10))}
    visits = [
        {"appointment": made["visits"][n]["appointment"], "sequence": 0, "starts_at": when.isoformat(),
         "practitioner": chiro.pk}
        for n, when in starts.items()
    ]  # fmt: skip
    body = {"appointment": visits[0]["appointment"], "scope": "this_and_later", "day": "2027-01-12", "at_time": "15:00"}

    answer = api(desk).post(f"{SERIES}{made['id']}/move/", {**body, "visits": visits})
    outside = [{**visits[0], "appointment": made["visits"][0]["appointment"]}]

    assert answer.status_code == 200
    assert days()[-2:] == ["Tue 12 15:00", "Thu 14 15:00"]
    refused = api(desk).post(f"{SERIES}{made['id']}/move/", {**body, "visits": outside})
    assert (refused.status_code, [*refused.json()["fields"]]) == (400, [str(made["visits"][0]["appointment"])])


def test_a_move_does_not_undo_what_was_changed_since_the_proposal(api, desk, made):
    address, client = f"{SERIES}{made['id']}/", api(desk)
    body = {"appointment": made["visits"][3]["appointment"], "scope": "this_and_later", "day": "2027-01-11",
            "at_time": "15:00"}  # fmt: skip
    proposal = client.post(f"{address}propose-move/", body).json()
    visits = [
        {"appointment": one["number"], "sequence": one["sequence"], "starts_at": one["proposed"]["starts_at"],
         "practitioner": one["proposed"]["practitioner"]["id"]}
        for one in proposal["visits"]
    ]  # fmt: skip
    changed = Appointment.objects.with_names().get(pk=visits[1]["appointment"])
    booking.reschedule(changed, starts_at=at(9, day=MONDAY + timedelta(days=10)), by=desk)
    before = days()

    answer = client.post(f"{address}move/", {**body, "visits": visits})
    told = answer.json()
    fields, after = told["fields"], days()
    visits[1]["sequence"] += 1
    again = client.post(f"{address}move/", {**body, "visits": visits})

    assert (answer.status_code, told["code"], [*fields]) == (409, "changed_meanwhile", [f"{changed.pk}"])
    assert "It is now: Thursday, January 14, 2027 at 9:00 AM EST" in fields[f"{changed.pk}"]
    assert (before, again.status_code) == (after, 200)
    assert [*told["alternatives"]] == [f"{changed.pk}"]


def test_a_refused_series_names_what_is_free_for_each_time_that_cannot_be_had(
    api, desk, asked, chiro, atlanta, adjustment
):
    client = api(desk)
    visits = chosen(client.post(f"{SERIES}propose/", asked).json())
    somebody_at(atlanta, chiro, atlanta, adjustment, desk, at(10))

    refused = client.post(SERIES, {**asked, "visits": visits})
    begun = client.post(SERIES, {**asked, "visits": [{"number": n, "skip": "Later"} for n in range(1, 7)]}).json()
    placed = client.post(f"{SERIES}{begun['id']}/place/", {"visits": visits})
    rearranged = client.post(f"{SERIES}{begun['id']}/rearrange/", {"visits": visits})

    for answer in (refused, placed, rearranged):
        body = answer.json()
        assert (answer.status_code, [*body["fields"]], [*body["alternatives"]]) == (409, ["1"], ["1"])
        assert body["alternatives"]["1"]
    assert refused.json()["alternatives"]["1"][0]["starts_at"] != visits[0]["starts_at"]


@pytest.mark.parametrize(("scope", "left", "owed"), [("this", 5, 1), ("this_and_later", 3, 3), ("all", 0, 6)])
def test_a_cancelling_reaches_as_far_as_it_says(api, desk, made, scope, left, owed):
    body = {"appointment": made["visits"][3]["appointment"], "scope": scope, "reason": "Moves away"}

    answer = api(desk).post(f"{SERIES}{made['id']}/cancel/", body)

    assert (answer.status_code, len(answer.json()["cancelled"])) == (200, owed)
    assert len(days()) == left
    assert len(api(desk).get(f"{SERIES}debts/").json()["results"]) == owed


def test_a_debt_is_proposed_placed_or_let_go(api, desk, made):
    first, last = made["visits"][0]["appointment"], made["visits"][5]["appointment"]
    for visit in (first, last):
        body = {"appointment": visit, "scope": "this", "reason": "Ill"}
        api(desk).post(f"{SERIES}{made['id']}/cancel/", body)

    proposal = api(desk).post(f"{SERIES}{made['id']}/propose-owed/", {"at_time": "16:00"}).json()
    placed = api(desk).post(f"{SERIES}{made['id']}/place/", {"at_time": "16:00", "visits": [chosen(proposal)[0]]})
    waived = api(desk).post(f"{SERIES}{made['id']}/waive/", {"number": 6, "reason": "Feels well"})

    assert [one["number"] for one in proposal["visits"]] == [1, 6]
    assert (placed.status_code, placed.json()["booked"][0]["starts_at"]) == (200, "2027-01-04T16:00:00-05:00")
    assert waived.json()["visits"][5]["state"] == "waived"
    assert not SeriesVisit.objects.debts().exists()


def test_series_are_listed_in_sight_only(api, desk, made, patient, marietta):
    mine = api(desk).get(SERIES, {"patient": patient.pk}).json()["results"]
    elsewhere = api(make.user("desk", marietta))

    assert [one["id"] for one in mine] == [made["id"]]
    assert mine[0] == api(desk).get(f"{SERIES}{made['id']}/").json()
    assert elsewhere.get(SERIES).json()["results"] == []
    assert elsewhere.get(f"{SERIES}{made['id']}/").status_code == 404
    assert api(desk).get(SERIES, {"patient": "x"}).status_code == 400


def test_a_checkpoint_is_of_its_own_type(api, desk, asked):
    make.appointment_type("re-evaluation", 45, room_kind="evaluation")

    said = api(desk).post(f"{SERIES}propose/", {**asked, "checkpoint_after": 3}).json()

    assert [one["type"] for one in said["visits"]] == ["adjustment"] * 3 + ["re-evaluation"] + ["adjustment"] * 3
    assert time.fromisoformat(said["visits"][0]["wanted_at"]) == time(10)


def test_more_times_for_one_visit(api, asked, desk):
    few, many = (api(desk).post(f"{SERIES}propose/", {**asked, **more}).json()["visits"]
                 for more in ({}, {"more": [1]}))  # fmt: skip
    wrong = api(desk).post(f"{SERIES}propose/", {**asked, "more": [400]})

    assert len(many[0]["others"]) > 2 * len(few[0]["others"])
    assert many[1:] == few[1:]
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["more"])


def test_a_clinic_nearby_is_the_second_choice(api, asked, atlanta, marietta, chiro):
    make.travel(atlanta, marietta, 35)
    there = make.practitioner(marietta, name="Kim Near")
    both = make.user("desk", atlanta, marietta)
    asked |= {"stretches": [{"visits_per_week": 1, "weeks": 1}], "weekdays": [2]}
    first = at(0, day=MONDAY - timedelta(days=1))  # the usual practitioner is away as far as is looked
    chiro.time_off.create(starts_at=first, ends_at=first + timedelta(days=40))

    alone = api(both).post(f"{SERIES}propose/", asked).json()["visits"][0]
    near = api(both).post(f"{SERIES}propose/", {**asked, "within": 40}).json()["visits"][0]

    assert (alone["proposed"], alone["others"]) == (None, [])
    assert (near["proposed"]["location"]["slug"], near["proposed"]["starts_at"]) == (
        "marietta", "2027-01-06T10:00:00-05:00",
    )  # fmt: skip
    visit = {"number": 1, "starts_at": near["proposed"]["starts_at"], "practitioner": there.pk, "location": "marietta"}
    wrong = api(both).post(SERIES, {**asked, "visits": [{**visit, "location": "nowhere"}]})
    made = api(both).post(SERIES, {**asked, "within": 40, "visits": [visit]})
    assert (wrong.status_code, wrong.json()["fields"]) == (400, {"1": "There is no such location."})
    assert made.status_code == 201
    assert (Appointment.objects.get().location, Appointment.objects.get().practitioner) == (marietta, there)


def test_a_clinic_nearby_comes_after_what_is_free_here(api, asked, atlanta, marietta):
    make.travel(atlanta, marietta, 35)
    make.practitioner(marietta)
    both = make.user("desk", atlanta, marietta)

    lines = api(both).post(f"{SERIES}propose/", {**asked, "within": 40}).json()["visits"]

    assert {one["proposed"]["location"]["slug"] for one in lines} == {"atlanta"}
    assert all("marietta" in {other["location"]["slug"] for other in one["others"]} for one in lines)
