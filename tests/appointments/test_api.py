from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, AppointmentType
from clinic import tokens
from tests import make
from tests.make import at

MONDAY = "2027-01-04"

FREE = "/api/v1/availability/"


@pytest.fixture
def body(patient, chiro, atlanta, adjustment):
    return {"patient": patient.pk, "practitioner": chiro.pk, "location": "atlanta", "type": "adjustment",
            "starts_at": "2027-01-04T09:00:00-05:00"}  # fmt: skip


def test_availability_answers_in_the_locations_zone(api, nashville, evaluation_type):
    make.practitioner(nashville, name="Sam Sample")
    answer = api(make.user("desk", nashville)).get(
        f"/api/v1/availability/?type=evaluation&location=nashville&from={MONDAY}&to={MONDAY}&limit=1"
    )

    assert answer.status_code == 200
    (slot,) = answer.json()["slots"]
    assert (slot["starts_at"], slot["time_zone"]) == ("2027-01-04T09:00:00-06:00", "America/Chicago")
    assert slot["practitioner"]["name"] == "Sam Sample, DC"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("type=nothing&from=2027-01-04&to=2027-01-04", "type"),
        ("type=evaluation&from=tomorrow&to=2027-01-04", "from"),
        ("type=evaluation&from=2027-02-30&to=2027-03-04", "from"),
        ("type=evaluation&from=2027-01-04", "to"),
        ("type=evaluation&from=2027-01-04&to=2027-01-03", "to"),
        ("type=evaluation&from=0001-01-01&to=0001-01-02", "from"),
        ("type=evaluation&from=9999-12-30&to=9999-12-31", "from"),
        ("type=evaluation&from=2027-01-04&to=2027-01-04&limit=501", "limit"),
        ("type=evaluation&from=2027-01-04&to=2027-01-04&location=mars", "location"),
        ("type=evaluation&from=2027-01-04&to=2027-01-04&practitioner=1%00", "practitioner"),
        ("type=evaluation&from=2027-01-04&to=2027-01-04&after=noon", "after"),
        ("type=evaluation&from=2027-01-04&to=2027-01-04&colour=blue", "colour"),
    ],
)
def test_availability_names_the_wrong_parameter(api, desk, evaluation_type, query, field):
    answer = api(desk).get(f"/api/v1/availability/?{query}")

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.usefixtures("that_morning")
def test_booking_and_the_way_of_a_visit(api, desk, body):
    client = api(desk)
    booked = client.post("/api/v1/appointments/", body)
    assert (booked.status_code, booked.json()["status"]) == (201, "booked")
    address = f"/api/v1/appointments/{booked.json()['id']}/"

    statuses = [
        client.post(f"{address}{step}/", {}).json()["status"] for step in ("confirm", "arrive", "start", "complete")
    ]

    assert statuses == ["confirmed", "arrived", "in_room", "completed"]
    steps = [event["step"] for event in client.get(f"{address}events/").json()]
    assert steps == ["booked", "confirmed", "arrived", "started", "completed"]


def test_conflict_offers_the_nearest(api, desk, body, atlanta):
    client = api(desk)
    client.post("/api/v1/appointments/", body)

    refused = client.post("/api/v1/appointments/", body | {"patient": make.patient(atlanta).pk})

    assert (refused.status_code, refused.json()["code"]) == (409, "slot_taken")
    assert refused.json()["nearest"][0]["starts_at"] == "2027-01-04T09:15:00-05:00"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2027-01-04T09:00:00"}, "starts_at"),
        ({"starts_at": "2027-01-04 09:00-05:00"}, "starts_at"),
        ({"starts_at": "2027-02-30T09:00:00-05:00"}, "starts_at"),
        ({"starts_at": "2027-01-04T23:59:60-05:00"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59-12:00"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"starts_at": 5}, "starts_at"),
        ({"patient": True}, "patient"),
        ({"patient": 2**63}, "patient"),
        ({"patient": "1"}, "patient"),
        ({"patient": 999999}, "patient"),
        ({"location": ["atlanta"]}, "location"),
        ({"location": "x" * 5000}, "location"),
        ({"type": "adjustment\u202e"}, "type"),
        ({"minutes": 7.5}, "minutes"),
        ({"status": "completed"}, "status"),
    ],
)
def test_bad_booking_names_the_field(api, desk, body, change, field):
    answer = api(desk).post("/api/v1/appointments/", body | change)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert Appointment.objects.count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        "[]",
        "null",
        '{"patient": 1, "patient": 2}',
        '{"x": NaN}',
        '{"x": "\\u0000"}',
        '{"x": "\\ud800"}',
        "[" * 5000,
        "\ufeff{}",
    ],
)
def test_bad_json_is_refused(api, desk, raw):
    answer = api(desk).post("/api/v1/appointments/", raw, content_type="application/json")

    assert answer.status_code == 400


def test_a_repeated_request_books_once(api, desk, body):
    client = api(desk)
    first = client.post("/api/v1/appointments/", body, headers={"Idempotency-Key": "abc"})
    again = client.post("/api/v1/appointments/", body, headers={"Idempotency-Key": "abc"})
    other = client.post("/api/v1/appointments/", body | {"minutes": 15}, headers={"Idempotency-Key": "abc"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert Appointment.objects.count() == 1


def test_a_refused_request_leaves_no_key(api, desk, body, atlanta):
    client = api(desk)
    taken = client.post("/api/v1/appointments/", body).json()
    rival = body | {"patient": make.patient(atlanta).pk}
    assert client.post("/api/v1/appointments/", rival, headers={"Idempotency-Key": "k"}).status_code == 409

    client.post(f"/api/v1/appointments/{taken['id']}/cancel/", {})

    assert client.post("/api/v1/appointments/", rival, headers={"Idempotency-Key": "k"}).status_code == 201


def test_out_of_scope_is_not_found_like_what_does_not_exist(api, desk, body, marietta):
    visit = api(desk).post("/api/v1/appointments/", body).json()
    stranger = api(make.user("desk", marietta))

    foreign = stranger.get(f"/api/v1/appointments/{visit['id']}/")
    missing = stranger.get("/api/v1/appointments/999999999/")

    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert stranger.get("/api/v1/appointments/").json()["count"] == 0
    assert stranger.post(f"/api/v1/appointments/{visit['id']}/cancel/", {}).status_code == 404


def test_anonymous_auditor_and_token(api, client, desk, body, atlanta):
    assert api().get("/api/v1/appointments/").status_code == 401
    assert api(make.user("auditor")).get("/api/v1/appointments/").status_code == 403

    token = tokens.issue_api_token(desk)

    assert client.get("/api/v1/appointments/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert client.get("/api/v1/appointments/", headers={"Authorization": f"Token {token}x"}).status_code == 401


def test_a_day_is_the_locations_day(api, body, atlanta, nashville, chiro):
    boss = make.user("manager", atlanta, nashville)
    client = api(boss)
    client.post("/api/v1/appointments/", body)

    def count(place, day):
        return client.get(f"/api/v1/appointments/?location={place}&date={day}").json()["count"]

    next_day = (at(9) + timedelta(days=1)).date()
    assert (count("atlanta", MONDAY), count("atlanta", next_day), count("nashville", MONDAY)) == (1, 0, 0)


def test_list_asks_the_same_number_of_queries(api, desk, body, atlanta, django_assert_num_queries):
    client = api(desk)
    for n in range(3):
        minute = f"2027-01-04T09:{n * 15:02}:00-05:00"
        client.post("/api/v1/appointments/", body | {"starts_at": minute, "patient": make.patient(atlanta).pk})
        fresh = api(type(desk).objects.get(pk=desk.pk))
        with django_assert_num_queries(3):
            fresh.get("/api/v1/appointments/")


def test_near_asks_the_locations_within_so_many_minutes(api, atlanta, marietta, nashville, adjustment):
    for place in (atlanta, marietta, nashville):
        make.practitioner(place)
    make.travel(atlanta, marietta, 35)
    make.travel(marietta, nashville, 20)
    make.location("elsewhere")
    desk = make.user("desk", atlanta, marietta, nashville)
    asked = {"type": "adjustment", "from": "2027-01-04", "to": "2027-01-04", "limit": 500}

    def places(**near):
        return sorted({s["location"]["slug"] for s in api(desk).get(FREE, asked | near).json()["slots"]})

    assert places(near="atlanta", within=34) == ["atlanta"]
    assert places(near="atlanta", within=35) == ["atlanta", "marietta"]
    assert places(near=marietta.pk, within=600) == ["atlanta", "marietta", "nashville"]
    elsewhere = make.user("desk", atlanta)
    found = api(elsewhere).get(FREE, asked | {"near": "atlanta", "within": 60}).json()["slots"]
    assert {slot["location"]["slug"] for slot in found} == {"atlanta"}  # the others are out of sight


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"near": "atlanta"}, "within"),
        ({"within": "20"}, "near"),
        ({"near": "nowhere", "within": "20"}, "near"),
        ({"near": "987654", "within": "20"}, "near"),
        ({"near": "atlanta", "within": "-1"}, "within"),
        ({"near": "atlanta", "within": "601"}, "within"),
        ({"near": "atlanta", "within": "20", "location": "atlanta"}, "location"),
    ],
)
def test_near_that_cannot_be_asked_names_the_field(api, desk, adjustment, wrong, field):
    answer = api(desk).get(FREE, {"type": "adjustment", "from": "2027-01-04", "to": "2027-01-04"} | wrong)

    assert (answer.status_code, [*answer.json()["fields"]]) == (400, [field])


def test_a_move_of_a_visit_that_was_moved_meanwhile_says_where_it_is(api, desk, visit):
    address, client = f"/api/v1/appointments/{visit.pk}/reschedule/", api(desk)
    seen = "2027-01-04T10:00:00-05:00"
    wanted = {"starts_at": "2027-01-04T11:30:00-05:00", "expected_start": seen}

    assert client.post(address, wanted, format="json").status_code == 200
    answer = client.post(address, wanted | {"starts_at": "2027-01-04T14:00:00-05:00"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert "It is now: Monday, January 4, 2027 at 11:30 AM EST" in answer.json()["detail"]
    assert Appointment.objects.get().starts_at == at(11, 30)


def test_two_who_make_the_same_visit_longer_and_shorter_do_not_undo_each_other(api, desk, visit):
    AppointmentType.objects.filter(pk=visit.type_id).update(least_minutes=10, most_minutes=20)
    address, client = f"/api/v1/appointments/{visit.pk}/", api(desk)
    seen = client.get(address).json()
    wanted = {"starts_at": seen["starts_at"], "expected_start": seen["starts_at"], "minutes": 20}
    wanted["expected_sequence"] = seen["sequence"]

    first = client.post(f"{address}reschedule/", wanted, format="json")
    second = client.post(f"{address}reschedule/", wanted | {"minutes": 10}, format="json")

    assert (first.status_code, first.json()["sequence"]) == (200, seen["sequence"] + 1)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert "10:00 AM EST, 20 minutes" in second.json()["detail"]
    assert Appointment.objects.get().lasts == 20


def test_a_step_of_a_visit_that_was_moved_meanwhile_is_refused(api, desk, visit):
    address, client = f"/api/v1/appointments/{visit.pk}/", api(desk)
    seen = client.get(address).json()["sequence"]
    client.post(f"{address}reschedule/", {"starts_at": at(14).isoformat()}, format="json")

    stale = client.post(f"{address}cancel/", {"expected_sequence": seen}, format="json")
    fresh = client.post(f"{address}cancel/", {"expected_sequence": seen + 1}, format="json")

    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert (fresh.status_code, fresh.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("said", ["x", -1, 1.5, 2**40, [], {}])
def test_a_sequence_that_is_none_is_named(api, desk, visit, said):
    address, client = f"/api/v1/appointments/{visit.pk}/", api(desk)

    for name, more in (("cancel", {}), ("reschedule", {"starts_at": at(14).isoformat()})):
        answer = client.post(f"{address}{name}/", {"expected_sequence": said, **more}, format="json")
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["expected_sequence"])


def test_a_repeated_move_is_answered_and_not_made_again(api, desk, visit):
    address, client = f"/api/v1/appointments/{visit.pk}/", api(desk)
    key = {"idempotency-key": "moved-once"}
    wanted = {"starts_at": at(14).isoformat(), "expected_sequence": visit.sequence}

    first, again = (client.post(f"{address}reschedule/", wanted, format="json", headers=key) for _ in range(2))
    other = client.post(f"{address}reschedule/", wanted | {"minutes": 20}, format="json", headers=key)

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert again.json() == first.json()
    assert visit.history.count() == 2


def test_availability_goes_on_behind_its_last_slot(api, desk, chiro, atlanta, adjustment):
    client, asked, seen = api(desk), {"type": "adjustment", "from": MONDAY, "to": MONDAY, "limit": 10}, []
    while True:
        answer = client.get(FREE, asked).json()
        seen += [slot["starts_at"] for slot in answer["slots"]]
        if answer["next_after"] is None:
            break
        assert answer["next_from"] == MONDAY
        asked["after"] = answer["next_after"]

    assert answer["next_from"] is None
    assert len(seen) == len(set(seen)) == 32
    assert seen == sorted(seen)


def test_a_day_beyond_all_calendars_is_named(api, desk):
    refused = api(desk).get("/api/v1/appointments/?location=atlanta&date=9999-12-31")

    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["date"])


def test_far_ahead_is_said_as_such_though_nothing_near_it_can_be_offered(api, desk, body):
    refused = api(desk).post("/api/v1/appointments/", body | {"starts_at": "2099-12-29T09:00:00-05:00"})

    assert (refused.status_code, refused.json()["code"], refused.json()["nearest"]) == (409, "too_far_ahead", [])


def test_times_of_a_length_that_the_patient_has(api, desk, body, adjustment):
    client = api(desk)
    AppointmentType.objects.filter(pk=adjustment.pk).update(least_minutes=10)
    client.post("/api/v1/appointments/", body)
    asked = f"/api/v1/availability/?type=adjustment&location=atlanta&from={MONDAY}&to={MONDAY}"

    long = client.get(f"{asked}&minutes=10").json()["slots"][0]
    theirs = client.get(f"{asked}&patient={body['patient']}&limit=500").json()["slots"]

    assert datetime.fromisoformat(long["ends_at"]) - datetime.fromisoformat(long["starts_at"]) == timedelta(minutes=10)
    assert body["starts_at"] not in {slot["starts_at"] for slot in theirs}
    assert client.get(f"{asked}&minutes=300").json()["fields"].keys() == {"minutes"}
    assert client.get(f"{asked}&patient=987654321").json()["fields"].keys() == {"patient"}


def test_a_room_is_chosen_and_changed(api, desk, body, atlanta, marietta, adjustment):
    client = api(desk)
    AppointmentType.objects.filter(pk=adjustment.pk).update(least_minutes=10)
    last = atlanta.rooms.filter(kind="adjusting").order_by("name").last()

    booked = client.post("/api/v1/appointments/", body | {"room": last.pk})
    first = atlanta.rooms.filter(kind="adjusting").order_by("name").first()
    address = f"/api/v1/appointments/{booked.json()['id']}/reschedule/"
    moved = client.post(address, {"starts_at": body["starts_at"], "room": first.pk, "minutes": 10})

    assert booked.json()["room"]["id"] == last.pk
    assert (moved.status_code, moved.json()["room"]["id"]) == (200, first.pk)
    assert "T09:10" in moved.json()["ends_at"]
    elsewhere = client.post(address, {"starts_at": body["starts_at"], "room": marietta.rooms.first().pk})
    assert (elsewhere.status_code, list(elsewhere.json()["fields"])) == (400, ["room"])


def test_the_history_says_what_was_overridden(api, sign_in, body, atlanta):
    manager = make.user("manager", atlanta)
    early = body | {"starts_at": "2027-01-04T07:00:00-05:00", "override_reason": "Flies at ten"}

    booked = api(manager).post("/api/v1/appointments/", early).json()

    [event] = api(manager).get(f"/api/v1/appointments/{booked['id']}/events/").json()
    assert (event["overridden"], event["reason"]) == (["outside_hours"], "Flies at ten")
    page = sign_in(manager).get(f"/appointments/{booked['id']}/").content.decode()
    assert "Allowed outside working hours" in page


def test_what_is_missing_in_the_question_is_called_required(api, desk, adjustment):
    answer = api(desk).get("/api/v1/availability/?type=adjustment&limit=0")

    fields = answer.json()["fields"]
    assert answer.status_code == 400
    assert (fields["from"], fields["to"]) == ("This field is required.",) * 2
    assert "limit" in fields
