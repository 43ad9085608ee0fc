import html

import pytest

from appointments import booking
from appointments.models import Appointment
from tests import make
from tests.make import at

EVENTS = "/calendar/events/"


def offered(page):
    return [line.split('value="')[1].split('"')[0] for line in page.splitlines() if 'name="slot"' in line]


def search(visit_type, location, patient, **more):
    return {"patient": patient.pk, "type": visit_type.slug, "location": location.slug, "from_day": "2027-01-04", **more}


def test_booking_starts_with_the_patient(sign_in, desk, patient):
    patient.search_terms.create(term="testerson")
    client = sign_in(desk)

    page = client.get("/appointments/new/", {"q": "TESTER", "type": "adjustment"}).content.decode()

    assert f"/appointments/new/?patient={patient.pk}&amp;type=adjustment" in page
    assert "Nobody found" in client.get("/appointments/new/", {"q": "zzz"}).content.decode()


def test_booking_does_not_find_patients_of_other_locations(sign_in, desk, patient, marietta):
    patient.search_terms.create(term="testerson")
    assert "Avery" in sign_in(desk).get("/appointments/new/", {"q": "tester"}).content.decode()

    client = sign_in(make.user("desk", marietta))

    assert "Avery" not in client.get("/appointments/new/", {"q": "tester"}).content.decode()
    assert client.get("/appointments/new/", {"patient": patient.pk}).status_code == 404


@pytest.mark.parametrize("q", ["x" * 101, "a b c d e f g h i j k l m n o p", "a\0b", "\u202ea"])
def test_booking_search_refuses_what_cannot_be_a_name(sign_in, desk, patient, q):
    answer = sign_in(desk).get("/appointments/new/", {"q": q})

    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode()


def test_soonest_times_are_offered_by_day_with_the_zone(sign_in, desk, chiro, atlanta, adjustment, patient):
    page = sign_in(desk).get("/appointments/new/", search(adjustment, atlanta, patient)).content.decode()

    assert len(offered(page)) == 12
    assert "Monday, January 4" in page
    assert "9:00 AM EST" in page
    assert "Robin Sample, DC" in page


def test_times_alone_are_sent_to_htmx(sign_in, desk, chiro, atlanta, adjustment, patient):
    answer = sign_in(desk).get(
        "/appointments/new/",
        search(adjustment, atlanta, patient),
        headers={"HX-Request": "true", "HX-Target": "times"},
    )

    assert "<html" not in answer.content.decode()
    assert len(offered(answer.content.decode())) == 12


def test_offered_time_is_booked(sign_in, desk, chiro, atlanta, adjustment, patient):
    client = sign_in(desk)
    chosen = search(adjustment, atlanta, patient)
    slot = offered(client.get("/appointments/new/", chosen).content.decode())[0]

    answer = client.post("/appointments/new/", {**chosen, "slot": slot})

    booked = Appointment.objects.get()
    assert answer.url == f"/appointments/{booked.pk}/"
    assert (booked.patient, booked.practitioner, booked.starts_at) == (patient, chiro, at(9))
    assert booked.history.get().by == desk


def test_times_of_any_clinic_name_the_clinic(sign_in, atlanta, nashville, chiro, adjustment, patient):
    make.practitioner(nashville, name="Casey Central")
    both = make.user("desk", atlanta, nashville)
    chosen = search(adjustment, atlanta, patient) | {"location": "any"}

    page = sign_in(both).get("/appointments/new/", chosen).content.decode()

    assert "9:00 AM EST" in page
    assert '<span class="soft">Robin Sample, DC</span> <span class="soft">Atlanta</span>' in page
    assert "9:00 AM CST" in page
    assert '<span class="soft">Casey Central, DC</span> <span class="soft">Nashville</span>' in page


def test_taken_time_loses_nothing_and_offers_the_nearest(sign_in, desk, visit, atlanta, adjustment):
    person = make.patient(atlanta, given="Second")
    fields = search(adjustment, atlanta, person) | {
        "day": "2027-01-04", "time": "10:00", "at": "atlanta", "practitioner_at": visit.practitioner_id
    }  # fmt: skip

    page = sign_in(desk).post("/appointments/new/", fields).content.decode()

    assert "already has a visit then. The nearest free times are below." in page
    assert 'value="10:00"' in page
    assert "Nearest free times" in page
    assert Appointment.objects.count() == 1


def test_exact_time_is_booked(sign_in, desk, chiro, atlanta, adjustment, patient):
    fields = search(adjustment, atlanta, patient) | {
        "day": "2027-01-04", "time": "10:05", "at": "atlanta", "practitioner_at": chiro.pk
    }  # fmt: skip

    sign_in(desk).post("/appointments/new/", fields)

    assert Appointment.objects.get().starts_at == at(10, 5)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose one of the times, or type an exact one."),
        ({"slot": "rubbish"}, "That time was not offered."),
        ({"slot": "2027-01-04T10:00|atlanta|1"}, "That time was not offered."),
        ({"slot": "2027-01-04T10:00:00+00:00|marietta|1"}, "That time was not offered."),
        ({"slot": "9999-01-04T10:00:00+00:00|atlanta|1"}, "That time was not offered."),
        ({"slot": "x" * 201}, "at most 200 characters"),
        ({"day": "2027-03-14", "time": "02:30", "at": "atlanta"}, "02:30 does not exist on March 14"),
        ({"day": "2027-01-04"}, "An exact time needs this too."),
        ({"day": "2027-01-04", "time": "10:00", "at": "a\0"}, "Null characters are not allowed"),
        ({"slot": "", "type": "x\0"}, "Null characters are not allowed"),
        (
            {"location": "marietta", "day": "2027-01-04", "time": "10:00", "practitioner_at": "0"},
            "Select a valid choice",
        ),
    ],
)
def test_booking_refuses_bad_input(sign_in, desk, chiro, atlanta, adjustment, patient, fields, said):
    answer = sign_in(desk).post("/appointments/new/", search(adjustment, atlanta, patient) | fields)

    assert said in answer.content.decode()
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"from_day": "2099-12-30"}, "Ask for at most a year at a time"),
        ({"from_day": "x"}, "Enter a valid date."),
        ({"type": "x\0"}, "Null characters are not allowed"),
        ({"location": "marietta"}, "Select a valid choice"),
        ({"practitioner": "12345"}, "Select a valid choice"),
    ],
)
def test_search_for_times_refuses_bad_input(sign_in, desk, chiro, atlanta, adjustment, patient, fields, said):
    answer = sign_in(desk).get("/appointments/new/", search(adjustment, atlanta, patient) | fields)

    assert said in answer.content.decode()


def test_search_names_a_practitioner_who_works_elsewhere(sign_in, atlanta, marietta, chiro, adjustment, patient):
    other = make.practitioner(marietta, name="Elsewhere Person")
    both = make.user("desk", atlanta, marietta)

    page = sign_in(both).get("/appointments/new/", search(adjustment, atlanta, patient, practitioner=other.pk))

    assert "Elsewhere Person, DC does not work there" in page.content.decode()


def test_exact_time_needs_a_practitioner_of_that_clinic(sign_in, atlanta, marietta, chiro, adjustment, patient):
    both = make.user("desk", atlanta, marietta)
    make.practitioner(marietta)
    fields = {"day": "2027-01-04", "time": "10:00", "at": "marietta", "practitioner_at": chiro.pk}

    page = sign_in(both).post("/appointments/new/", search(adjustment, atlanta, patient) | fields)

    assert "Robin Sample, DC does not work at Marietta." in page.content.decode()


def test_patient_of_the_address_must_be_a_number(sign_in, desk):
    client = sign_in(desk)

    assert client.get("/appointments/new/", {"patient": "x"}).status_code == 400
    assert client.get("/appointments/new/", {"patient": "9" * 40}).status_code == 404


def test_the_length_is_chosen_within_the_range_of_the_type(sign_in, desk, chiro, atlanta, evaluation_type, patient):
    client = sign_in(desk)
    chosen = search(evaluation_type, atlanta, patient, minutes="45")

    shown = client.get("/appointments/new/", chosen)
    slot = offered(shown.content.decode())[0]
    client.post("/appointments/new/", {**chosen, "slot": slot})

    choices = [value for value, _ in shown.context["find"].fields["minutes"].choices]
    assert choices == ["", 45, 50, 55]
    booked = Appointment.objects.get()
    assert booked.end_minute - booked.start_minute == 45


def test_the_usual_length_is_taken_when_none_is_chosen(sign_in, desk, chiro, atlanta, evaluation_type, patient):
    client = sign_in(desk)
    chosen = search(evaluation_type, atlanta, patient)

    slot = offered(client.get("/appointments/new/", chosen).content.decode())[0]
    client.post("/appointments/new/", {**chosen, "slot": slot})

    booked = Appointment.objects.get()
    assert booked.end_minute - booked.start_minute == 60


def test_the_length_changes_what_is_free(sign_in, desk, chiro, atlanta, evaluation_type, adjustment, patient):
    """Before a visit at 9:45 there is room for 45 minutes and not for 60."""
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9, 45),
        by=desk,
    )  # fmt: skip
    client = sign_in(desk)

    first = [
        client.get("/appointments/new/", search(evaluation_type, atlanta, patient, minutes=m)).context["days"][0][1][0]
        for m in ("45", "60")
    ]

    assert [one["slot"].local_start.strftime("%H:%M") for one in first] == ["09:00", "10:00"]


def test_a_type_of_one_length_asks_nothing_and_the_fragment_brings_the_choice(
    sign_in, desk, chiro, atlanta, adjustment, evaluation_type, patient
):
    client = sign_in(desk)
    htmx = {"HX-Request": "true", "HX-Target": "times"}

    one, range_ = (
        client.get("/appointments/new/", search(kind, atlanta, patient), headers=htmx).content.decode()
        for kind in (adjustment, evaluation_type)
    )

    assert 'id="length" hx-swap-oob="true"' in one
    assert "How long" not in one
    assert "How long" in range_


@pytest.mark.parametrize("minutes", ["44", "61", "-5", "x", "9" * 30, "4\0"])
def test_a_length_out_of_range_is_refused_and_nothing_is_lost(
    sign_in, desk, chiro, atlanta, evaluation_type, patient, minutes
):
    client = sign_in(desk)
    chosen = search(evaluation_type, atlanta, patient, minutes=minutes)

    looked = client.get("/appointments/new/", chosen)
    booked = client.post("/appointments/new/", {**chosen, "slot": f"{at(9).isoformat()}|atlanta|{chiro.pk}"})

    assert "A visit of this type takes 45 to 60 minutes." in looked.content.decode()
    assert booked.status_code == 200
    assert 'role="alert"' in booked.content.decode()
    assert not Appointment.objects.exists()


def test_the_keys_of_the_calendar_are_in_the_list_of_keys(sign_in, desk):
    client = sign_in(desk)

    shown, listed = (client.get("/calendar/", {"view": view}).content.decode() for view in ("day", "list"))

    assert "Pick the visit up" in shown
    assert "Pick the visit up" not in listed


def test_clinics_near_the_chosen_one_are_asked_too(sign_in, adjustment, atlanta, marietta, patient):
    make.travel(atlanta, marietta, 35)
    make.practitioner(marietta, name="Kim Near")
    client = sign_in(make.user("desk", atlanta, marietta))

    def page(**more):
        return client.get("/appointments/new/", search(adjustment, atlanta, patient, **more)).content.decode()

    assert offered(page(within="20")) == []
    assert len(offered(page(within="40"))) == 12
    assert "within=40" in page(within="40")  # the later times keep it
    assert offered(page(within="nonsense")) == []


def test_later_times_go_on_to_the_last(sign_in, desk, chiro, atlanta, adjustment, patient):
    """32 times a day: the thirteenth is on the second page, and no page shows what another one showed."""
    client, address, seen = sign_in(desk), "/appointments/new/", []
    page = client.get(address, search(adjustment, atlanta, patient, minutes="")).content.decode()
    for _ in range(6):
        assert not set(offered(page)) & set(seen)
        seen += offered(page)
        later = html.unescape(page.split('">Later times, from')[0].rsplit('href="', 1)[1])
        page = client.get(address + later).content.decode()

    assert seen[12].startswith("2027-01-04T17:00:00+00:00")  # noon in Atlanta
    assert [slot[:10] for slot in seen].count("2027-01-04") == 32
    assert "Back to the soonest times" in page


def test_a_refused_booking_stays_among_the_later_times(sign_in, desk, chiro, atlanta, adjustment, patient):
    asked = search(adjustment, atlanta, patient, after="2027-01-04T20:00:00Z")
    page = sign_in(desk).post("/appointments/new/", asked).content.decode()

    assert offered(page)[0].startswith("2027-01-04T20:15:00+00:00")


def test_later_times_of_nonsense_say_so(sign_in, desk, chiro, atlanta, adjustment, patient):
    answer = sign_in(desk).get("/appointments/new/", search(adjustment, atlanta, patient, after="|||"))

    assert answer.status_code == 200
    assert "These later times cannot be found." in answer.content.decode()
