from datetime import date, time, timedelta

import pytest
from django.core import mail
from django.urls import reverse

from appointments import availability, booking
from appointments.models import ExtraHours, TimeOff, WeeklyHours
from appointments.timetable import working_hours
from appointments.timetable.working_hours import Shift
from clinic import outbox, times
from clinic.models import User
from locations.models import Closure, Practitioner
from locations.spans import Span
from tests import make

SUNDAY_NOON = make.at(12, day=make.MONDAY - timedelta(1))


@pytest.fixture(autouse=True)
def on_sunday():
    with times.as_of(SUNDAY_NOON):
        yield


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


def rows(prefix, *given):
    form = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": 0}
    for n, (days, starts, ends, *more) in enumerate(given):
        form |= {f"{prefix}-{n}-days": days, f"{prefix}-{n}-starts": starts, f"{prefix}-{n}-ends": ends}
        form |= dict(zip((f"{prefix}-{n}-every_weeks", f"{prefix}-{n}-first_week"), more, strict=False))
    return form


def newcomer(**changes):
    """Kim, in Atlanta on Monday and Tuesday and in Marietta on Thursday."""
    return {
        "full_name": "Kim Newcomer", "credentials": "DC", "email": "kim@example.org", "starts_on": "2027-01-04",
        "clinic-1-location": "atlanta", "clinic-2-location": "marietta",
        **rows("clinic-1-hours", (["0", "1"], "09:00", "12:00"), (["0", "1"], "13:00", "17:00")),
        **rows("clinic-2-hours", (["3"], "08:00", "16:00"), ([], "", "")),
        **changes,
    }  # fmt: skip


def test_a_practitioner_at_two_clinics_is_one_page(sign_in, owner, atlanta, marietta, evaluation_type):
    answer = sign_in(owner).post(reverse("setup-practitioner-new"), newcomer())

    kim = Practitioner.objects.get()
    assert answer["Location"] == reverse("setup-practitioner", args=[kim.pk])
    assert (kim.name, kim.user.email) == ("Kim Newcomer, DC", "kim@example.org")
    assert {a.location for a in kim.user.assignments.all()} == {atlanta, marietta}
    found = availability.find(
        type=evaluation_type, locations=[atlanta, marietta], from_day=make.MONDAY, to_day=date(2027, 1, 10), limit=500
    )
    days = {(slot.location.slug, slot.local_start.weekday()) for slot in found.slots}
    assert days == {("atlanta", 0), ("atlanta", 1), ("marietta", 3)}
    outbox.send_due()
    assert mail.outbox[0].to == ["kim@example.org"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "chiro@example.org"}, "has a sign-in already"),
        ({"starts_on": "2037-01-04"}, "Choose a day within a year from today."),
        ({"until": "2027-01-03"}, "The last day lies before the first."),
        ({"clinic-1-hours-0-ends": "08:00"}, "Monday 9:00 AM to 8:00 AM ends before it starts"),
        ({"clinic-2-location": "atlanta"}, "This clinic is chosen twice"),
        ({"clinic-2-location": ""}, "At which clinic are these hours?"),
        ({"clinic-2-hours-0-days": ["0"]}, "overlaps Monday 9:00 AM to 12:00 PM at Atlanta"),
        ({"clinic-1-location": ""}, "This field is required."),
        (rows("clinic-2-hours"), "On which days, and when?"),
    ],
)
def test_a_refusal_keeps_everything_typed_and_writes_nothing(sign_in, owner, atlanta, marietta, wrong, said):
    make.user("clinician", atlanta, email="chiro@example.org")
    before = User.objects.count()

    answer = sign_in(owner).post(reverse("setup-practitioner-new"), newcomer(**wrong))

    shown = answer.content.decode()
    assert answer.status_code == 400
    assert said in shown
    assert 'value="Kim Newcomer"' in shown
    assert 'value="13:00"' in shown
    assert User.objects.count() == before
    assert not WeeklyHours.objects.exists()


def test_a_locum_works_up_to_the_last_day(sign_in, owner, atlanta, marietta):
    sign_in(owner).post(reverse("setup-practitioner-new"), newcomer(until="2027-01-31"))

    lasting = WeeklyHours.objects.values_list("location__slug", "valid_from", "valid_until").distinct()
    first, last = date(2027, 1, 4), date(2027, 1, 31)
    assert set(lasting) == {("atlanta", first, last), ("marietta", first, last)}


def test_the_list_says_who_works_where_and_who_is_away(sign_in, owner, chiro, django_assert_max_num_queries):
    TimeOff.objects.create(practitioner=chiro, starts_at=make.at(0), ends_at=make.at(0, day=date(2027, 1, 6)))
    make.practitioner(make.location("augusta"), days=())
    client = sign_in(owner)

    with django_assert_max_num_queries(11):
        shown = client.get(reverse("setup-practitioners")).content.decode()

    for expected in (str(chiro), "Mo Tu We Th Fr", "Jan 4 to Jan 6", "No hours"):
        assert expected in shown


def test_an_empty_list_says_what_to_do(sign_in, owner):
    assert "Enrol the first practitioner" in sign_in(owner).get(reverse("setup-practitioners")).content.decode()


def test_managers_and_clinicians_see_their_own(sign_in, manager, chiro, marietta):
    stranger = make.practitioner(marietta)

    for user in (manager, chiro.user):
        client = sign_in(user)
        shown = client.get(reverse("setup-practitioners")).content.decode()
        assert str(chiro) in shown
        assert str(stranger) not in shown
        assert client.get(reverse("setup-practitioner", args=[chiro.pk])).status_code == 200
        assert client.get(reverse("setup-practitioner", args=[stranger.pk])).status_code == 404
    assert sign_in(chiro.user).get(reverse("setup"))["Location"] == reverse("setup-practitioners")


def save(client, person, place, from_day, *given):
    form = {f"{place.slug}-from_day": from_day.isoformat(), **rows(f"{place.slug}-hours", *given)}
    return client.post(reverse("setup-hours", args=[person.pk, place.slug]), form)


def test_the_week_is_changed_from_a_day_on(sign_in, manager, chiro, atlanta):
    client, change = sign_in(manager), make.MONDAY + timedelta(7)

    answer = save(client, chiro, atlanta, change, (["0", "2"], "10:00", "18:00"))

    assert answer["Location"].endswith("#atlanta")
    shown = client.get(reverse("setup-practitioner", args=[chiro.pk])).content.decode()
    for expected in ("hold until", "Jan 10, 2027", "From Jan 11, 2027", "Monday 10:00 AM to 6:00 PM"):
        assert expected in shown


def test_hours_that_take_turns_come_back_as_they_were_saved(sign_in, owner, chiro, atlanta):
    client = sign_in(owner)
    turns = ((["0"], "08:00", "12:00", "2", "1"), (["0"], "10:00", "16:00", "2", "2"))
    save(client, chiro, atlanta, make.MONDAY, *turns)

    for later in (0, 7, 14):
        with times.as_of(SUNDAY_NOON + timedelta(1 + later)):
            page = client.get(reverse("setup-practitioner", args=[chiro.pk]))
        initial = [form.initial for form in page.context["blocks"][0].rows if form.initial]
        weeks = {row["starts"].hour: row["first_week"] for row in initial}
        assert weeks == ({8: 1, 10: 2} if later != 7 else {8: 2, 10: 1})


def test_refused_hours_keep_what_was_typed(sign_in, manager, chiro, atlanta, marietta):
    client = sign_in(manager)

    answer = save(client, chiro, atlanta, make.MONDAY, (["0"], "10:00", "09:00"))

    assert answer.status_code == 400
    assert "Monday 10:00 AM to 9:00 AM ends before it starts" in answer.content.decode()
    assert 'value="10:00"' in answer.content.decode()
    assert "within a year" in save(client, chiro, atlanta, date(2037, 1, 1), (["0"], "9:00", "10:00")).content.decode()
    assert save(client, chiro, marietta, make.MONDAY, (["0"], "10:00", "12:00")).status_code == 404


def test_hours_at_another_clinic_begin_with_a_choice(sign_in, owner, chiro, marietta):
    client, page = sign_in(owner), reverse("setup-practitioner", args=[chiro.pk])
    assert "Weekly hours at Marietta" not in client.get(page).content.decode()

    assert "Weekly hours at Marietta" in client.get(page, {"at": "marietta"}).content.decode()
    save(client, chiro, marietta, make.MONDAY, (["5"], "10:00", "12:00"))
    assert "Weekly hours at Marietta" in client.get(page).content.decode()


def test_visits_outside_the_hours_are_listed(sign_in, owner, chiro, atlanta, desk, adjustment):
    visit = booking.book(
        patient=make.patient(atlanta, given="Noor"), practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=make.at(9), by=desk,
    )  # fmt: skip
    save(sign_in(owner), chiro, atlanta, make.MONDAY, (["0"], "10:00", "12:00"))

    shown = sign_in(owner).get(reverse("setup-practitioner", args=[chiro.pk])).content.decode()

    assert "Visits outside these hours" in shown
    assert reverse("appointment", args=[visit.pk]) in shown


def test_extra_hours_are_added_and_taken_back(sign_in, chiro, atlanta):
    client = sign_in(chiro.user)
    given = {"extra-location": "atlanta", "extra-day": "2027-01-09", "extra-starts": "09:00", "extra-ends": "12:00"}

    client.post(reverse("setup-extra", args=[chiro.pk]), given)
    again = client.post(reverse("setup-extra", args=[chiro.pk]), given)

    extra = ExtraHours.objects.get()
    assert (extra.starts, extra.day) == (time(9), date(2027, 1, 9))
    assert (again.status_code, "extra hours at Atlanta then already" in again.content.decode()) == (400, True)
    assert "9:00 AM to 12:00 PM" in client.get(reverse("setup-practitioner", args=[chiro.pk])).content.decode()
    client.post(reverse("setup-hours-back", args=["extra", extra.pk]))
    assert not ExtraHours.objects.exists()


def test_time_off_is_whole_days_or_hours_of_the_clinic(sign_in, chiro):
    client, address = sign_in(chiro.user), reverse("setup-away", args=[chiro.pk])

    client.post(address, {"away-starts_on": "2027-01-05", "away-ends_on": "2027-01-06", "away-reason": "Course"})
    client.post(address, {"away-starts_on": "2027-01-08", "away-starts": "13:00", "away-ends": "15:00"})
    refused = client.post(address, {"away-starts_on": "2027-01-06", "away-reason": "Again"})

    assert [(off.starts_at, off.ends_at) for off in TimeOff.objects.all()] == [
        (make.at(0, day=date(2027, 1, 5)), make.at(0, day=date(2027, 1, 7))),
        (make.at(13, day=date(2027, 1, 8)), make.at(15, day=date(2027, 1, 8))),
    ]
    assert (refused.status_code, "is away then already" in refused.content.decode()) == (400, True)
    client.post(reverse("setup-hours-back", args=["away", TimeOff.objects.first().pk]))
    assert TimeOff.objects.count() == 1
    assert client.post(reverse("setup-hours-back", args=["holiday", 1])).status_code == 404


def test_colleagues_set_nothing_of_each_other(sign_in, chiro, atlanta):
    colleague = make.practitioner(atlanta)
    away = TimeOff.objects.create(practitioner=chiro, starts_at=make.at(9), ends_at=make.at(10))
    client = sign_in(colleague.user)

    for name in ("setup-extra", "setup-away"):
        assert client.post(reverse(name, args=[chiro.pk])).status_code == 404
    assert client.post(reverse("setup-hours-back", args=["away", away.pk])).status_code == 404
    assert client.get(reverse("setup-practitioner-new")).status_code == 403


def test_who_has_left_still_has_a_page(sign_in, owner, chiro, atlanta):
    Practitioner.objects.update(is_active=False)

    assert (
        "Left: nothing is offered"
        in sign_in(owner).get(reverse("setup-practitioner", args=[chiro.pk])).content.decode()
    )
    assert working_hours.set_week(chiro, atlanta, [Shift(Span(0, time(9), time(10)))], from_day=make.MONDAY, by=owner)


def test_hours_that_no_door_is_open_for_are_named(sign_in, owner, atlanta, chiro):
    atlanta.opening_hours.filter(weekday__in=(0, 1)).update(opens=time(10))
    client = sign_in(owner)
    address = reverse("setup-practitioner", args=[chiro.pk])

    named = client.get(address).content.decode()
    atlanta.opening_hours.all().delete()
    none = client.get(address).content.decode()

    assert (
        "Outside the opening hours of Atlanta, so nothing is offered then: "
        "Monday 9:00 AM to 10:00 AM; Tuesday 9:00 AM to 10:00 AM." in named
    )
    assert "Atlanta has no opening hours yet, so nothing is offered." in none


@pytest.mark.parametrize(("closed", "said"), [(False, "The extra hours are added."), (True, "closed then, so nothing")])
def test_extra_hours_on_a_day_that_is_closed_say_so(sign_in, owner, atlanta, chiro, closed, said):
    saturday = make.MONDAY + timedelta(5)
    if closed:
        Closure.objects.create(starts_on=saturday, ends_on=saturday, reason="Snow")
    typed = {"extra-location": "atlanta", "extra-day": f"{saturday}", "extra-starts": "09:00", "extra-ends": "12:00"}

    answer = sign_in(owner).post(reverse("setup-extra", args=[chiro.pk]), typed, follow=True)
    page = answer.content.decode()

    assert said in page
    assert ("But Atlanta is closed then, so nothing is offered: Snow." in page) == closed
    assert ExtraHours.objects.count() == 1


def test_extra_hours_in_an_absence_say_so(sign_in, owner, atlanta, chiro):
    saturday = make.MONDAY + timedelta(5)
    TimeOff.objects.create(practitioner=chiro, starts_at=make.at(11, day=saturday), ends_at=make.at(15, day=saturday))
    typed = {"extra-location": "atlanta", "extra-day": f"{saturday}", "extra-ends": "12:00"}
    client, address = sign_in(owner), reverse("setup-extra", args=[chiro.pk])

    before, into = (
        client.post(address, {**typed, "extra-starts": starts, "extra-ends": ends}, follow=True).content.decode()
        for starts, ends in (("09:00", "11:00"), ("11:00", "12:00"))
    )

    assert ["is away then, and nothing is offered" in page for page in (before, into)] == [False, True]


def test_the_list_shows_the_week_as_it_is_now_and_from_when_on_somebody_begins(sign_in, owner, atlanta, chiro):
    later = make.MONDAY + timedelta(28)
    new = make.practitioner(atlanta, name="Kim Newcomer", days=())
    for person in (chiro, new):
        working_hours.set_week(person, atlanta, [Shift(Span(5, time(9), time(12)))], from_day=later, by=owner)

    page = sign_in(owner).get(reverse("setup-practitioners"))

    assert {row["person"]: [text for _, text in row["week"]] for row in page.context["rows"]} == {
        chiro: ["Mo Tu We Th Fr"], new: ["Sa, from Feb 1"],
    }  # fmt: skip
