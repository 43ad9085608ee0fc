from datetime import timedelta

import pytest

from appointments import booking
from appointments.models import Appointment
from tests import make
from tests.make import MONDAY, at

PREVIEW, MOVE = "/api/v1/visit-moves/preview/", "/api/v1/visit-moves/"


@pytest.fixture
def colleague(atlanta):
    return make.practitioner(atlanta, name="Aaron Other")


@pytest.fixture
def visits(atlanta, chiro, adjustment, desk):
    return [
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(hour),
            by=desk,
        )
        for hour in (9, 10)
    ]  # fmt: skip


@pytest.fixture
def ill(chiro):
    return {"practitioner": chiro.pk, "location": ["atlanta"], "first": f"{MONDAY}", "last": f"{MONDAY}"}


def moves(shown):
    return [
        {
            "appointment": line["appointment"]["id"],
            "sequence": line["sequence"],
            "starts_at": line["proposal"]["starts_at"],
            "practitioner": line["proposal"]["practitioner"]["id"],
        }
        for line in shown["visits"]
    ]


def test_what_is_previewed_is_moved(api, desk, visits, ill, colleague):
    client = api(desk)

    shown = client.post(PREVIEW, ill).json()
    answer = client.post(MOVE, {"moves": moves(shown), "reason": "Flu"})

    assert [line["proposal"]["practitioner"]["name"] for line in shown["visits"]] == ["Aaron Other, DC"] * 2
    assert [mail["why_not"] for mail in shown["mails"]] == ["The patient has not agreed to e-mails about visits."] * 2
    assert (answer.status_code, [v["id"] for v in answer.json()["moved"]]) == (200, [v.pk for v in visits])
    assert set(Appointment.objects.values_list("practitioner", flat=True)) == {colleague.pk}


def test_a_taken_time_moves_nothing_and_names_what_is_free(api, desk, visits, ill, colleague, atlanta, adjustment):
    client = api(desk)
    sent = {"moves": moves(client.post(PREVIEW, ill).json()), "reason": "Flu"}
    booking.book(
        patient=make.patient(atlanta), practitioner=colleague, location=atlanta, type=adjustment, starts_at=at(10),
        by=desk,
    )  # fmt: skip

    answer = client.post(MOVE, sent)

    body, taken = answer.json(), f"{visits[1].pk}"
    assert (answer.status_code, body["code"]) == (409, "slot_taken")
    assert body["fields"] == {taken: "Aaron Other, DC already has a visit then."}
    assert [*body["alternatives"]] == [taken]
    assert body["alternatives"][taken]
    assert Appointment.objects.filter(practitioner=colleague).count() == 1


def test_a_visit_changed_since_the_preview_is_not_moved(api, desk, visits, ill, colleague):
    client = api(desk)
    sent = {"moves": moves(client.post(PREVIEW, ill).json()), "reason": "Flu"}
    booking.reschedule(visits[1], starts_at=at(15), by=desk)

    answer = client.post(MOVE, sent)

    body = answer.json()
    assert (answer.status_code, body["code"], [*body["fields"]]) == (409, "changed_meanwhile", [f"{visits[1].pk}"])
    assert sorted(Appointment.objects.values_list("starts_at", flat=True)) == [at(9), at(15)]


def test_sent_twice_with_a_key_moves_once(api, desk, visits, ill, colleague):
    client = api(desk)
    sent = {"moves": moves(client.post(PREVIEW, ill).json()), "reason": "Flu"}

    answers = [client.post(MOVE, sent, headers={"Idempotency-Key": "flu"}) for _ in range(2)]

    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert [visit.history.filter(step="rescheduled").count() for visit in visits] == [1, 1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"last": f"{MONDAY - timedelta(days=1)}"}, "last"),
        ({"last": f"{MONDAY + timedelta(days=92)}"}, "last"),
        ({"first": "soon"}, "first"),
        ({"practitioner": 10**12}, "practitioner"),
        ({"practitioner": "1"}, "practitioner"),
        ({"location": ["nowhere"]}, "location"),
        ({"to": "somebody"}, "to"),
        ({"to_practitioner": 10**12}, "to_practitioner"),
        ({"to_location": "nowhere"}, "to_location"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_question_names_its_field(api, desk, visits, ill, change, field):
    answer = api(desk).post(PREVIEW, {**ill, **change})

    assert (answer.status_code, [*answer.json()["fields"]]) == (400, [field])


def test_days_beyond_all_calendars_are_named(api, desk, visits, ill):
    answer = api(desk).post(PREVIEW, {**ill, "first": "9999-12-31", "last": "9999-12-31"})

    assert (answer.status_code, [*answer.json()["fields"]]) == (400, ["first", "last"])


def test_without_a_practitioner_only_what_is_stuck_can_be_asked_for(api, desk, visits, ill):
    del ill["practitioner"]

    answers = [api(desk).post(PREVIEW, {**ill, "only_stuck": only}) for only in (False, True)]

    assert [a.status_code for a in answers] == [400, 200]
    assert answers[1].json() == {"visits": [], "more": 0, "mails": []}


def test_wrong_moves_are_refused_whole(api, desk, visits, colleague, chiro, marietta):
    stranger = make.user("desk", marietta)
    one = {"appointment": visits[0].pk, "sequence": 0, "starts_at": at(14).isoformat(), "practitioner": colleague.pk}
    night = {**one, "appointment": visits[1].pk, "starts_at": at(3).isoformat()}
    wrong = [
        (desk, {"moves": [], "reason": "Flu"}, 400),
        (desk, {"moves": [one, one], "reason": "Flu"}, 400),
        (desk, {"moves": [{**one, "appointment": 10**12}], "reason": "Flu"}, 400),
        (desk, {"moves": [{**one, "practitioner": 10**12}], "reason": "Flu"}, 400),
        (desk, {"moves": [{**one, "sequence": -1}], "reason": "Flu"}, 400),
        (desk, {"moves": [{**one, "sequence": 1}], "reason": "Flu"}, 409),
        (desk, {"moves": [{k: v for k, v in one.items() if k != "sequence"}], "reason": "Flu"}, 400),
        (desk, {"moves": [{**one, "starts_at": "2027-01-04T14:00:00"}], "reason": "Flu"}, 400),
        (desk, {"moves": [one], "reason": ""}, 400),
        (desk, {"moves": [one], "reason": "x" * 201}, 400),
        (desk, {"moves": [one]}, 400),
        (desk, {"moves": [one, night], "reason": "Flu"}, 409),
        (stranger, {"moves": [one], "reason": "Flu"}, 400),
    ]

    assert [api(user).post(MOVE, body).status_code for user, body, _ in wrong] == [status for *_, status in wrong]
    assert set(Appointment.objects.values_list("practitioner", flat=True)) == {chiro.pk}
