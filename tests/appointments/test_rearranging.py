"""The rest of a series arranged anew after visits were missed or cancelled, or somebody is away: one change."""

from collections import Counter
from contextlib import suppress
from datetime import date, time, timedelta
from itertools import combinations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from appointments import booking, visit_status
from appointments.models import Appointment, TimeOff
from appointments.recurring import rearranging, series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from appointments.recurring.rearranging import KEEP, SHIFT
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make
from tests.make import MONDAY, at

TEN = time(10)
D = timedelta
MON, WED, MON2, WED2, MON3 = (MONDAY + D(n) for n in (0, 2, 7, 9, 14))


def begin(patient, adjustment, chiro, place, by, **said):
    pattern = Pattern(MONDAY, (Stretch(2, 2),), (0, 2), TEN, **said)
    re_evaluation = make.appointment_type("re-evaluation", 45, room_kind="evaluation") if said else None
    return series.begin(
        patient=patient, type=adjustment, checkpoint_type=re_evaluation, practitioner=chiro, location=place,
        pattern=pattern, by=by,
    )  # fmt: skip


@pytest.fixture
def begun(patient, adjustment, chiro, atlanta, desk):
    """Two a week for two weeks at ten, on the calendar."""
    found = begin(patient, adjustment, chiro, atlanta, desk)
    series.place(found, {n: Choice(at(10, day=day), chiro) for n, day in enumerate((MON, WED, MON2, WED2), 1)}, by=desk)
    return found


def visit_of(found, number):
    rows = Appointment.objects.holding_time().filter(series_visit__series=found, series_visit__number=number)
    return rows.with_names().with_series().get()


def missed(found, number, by):
    visit = visit_of(found, number)
    with times.as_of(visit.ends_at):
        visit_status.no_show(visit, by=by)


def monday_noon():
    return times.as_of(at(12))


def days(rest):
    return {int(line.wish.key): line.slot and line.slot.local_start.date() for line in rest.propose()}


def chosen(rest):
    return {
        int(line.wish.key): Choice(line.slot.starts_at, line.slot.practitioner)
        if line.slot
        else Choice(skip_reason="Full.")
        for line in rest.propose()
    }


def approve(found, way, by, **more):
    rest = rearranging.of(found, way=way)
    return series.rearrange(found, chosen(rest), seen=rest.seen, by=by, **more)


def calendar(found):
    rows = Appointment.objects.holding_time().filter(series_visit__series=found).with_names()
    return [visit.local_start.date() for visit in rows.order_by("starts_at")]


def refused(rule, *args, **kwargs):
    with pytest.raises(RuleBroken) as caught:
        rule(*args, **kwargs)
    return caught.value


def test_in_step_nothing_is_asked(begun):
    rest = rearranging.of(begun)

    assert (rest.wishes, [one.number for one in rest.remaining]) == ([], [1, 2, 3, 4])


def test_a_missed_visit_is_made_good_after_the_others(begun, desk):
    missed(begun, 1, desk)
    with monday_noon():
        rest = rearranging.of(begun)

        assert days(rest) == {1: MON3}  # every week until then has its two visits
        done = approve(begun, KEEP, desk)

    assert calendar(begun) == [WED, MON2, WED2, MON3]
    assert [visit.series_visit.number for visit in done] == [1]
    assert begun.visits.owed().count() == 0


def test_moved_on_the_rest_keeps_its_order_and_rhythm(begun, desk):
    missed(begun, 1, desk)
    with monday_noon():
        assert days(rearranging.of(begun, way=SHIFT)) == {1: WED, 2: MON2, 3: WED2, 4: MON3}
        approve(begun, SHIFT, desk, reason="Missed the first.")

    assert calendar(begun) == [WED, MON2, WED2, MON3]
    assert visit_of(begun, 2).local_start.date() == MON2
    assert [event.reason for event in visit_of(begun, 2).history.all()][-1] == "Missed the first."
    assert AuditEntry.objects.filter(action="series.rearranged").count() == 1


def test_nothing_booked_goes_to_an_earlier_day(begun, desk, chiro):
    booking.reschedule(visit_of(begun, 2), starts_at=at(10, day=MON2 + D(14)), by=desk)
    missed(begun, 1, desk)

    with monday_noon():
        proposed = days(rearranging.of(begun, way=SHIFT))

    assert proposed[1] == WED
    assert all(day >= MON2 + D(14) for number, day in proposed.items() if number == 2)


def test_a_cancelled_visit_and_one_while_the_practitioner_is_away(begun, desk, chiro):
    visit_status.cancel(visit_of(begun, 2), by=desk, reason="Flu.")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0, day=MON2), ends_at=at(0, day=MON2 + D(1)))

    rest = rearranging.of(begun)

    assert {one.number: bool(one.why) for one in rest.remaining} == {1: False, 2: False, 3: True, 4: False}
    assert [wish.key for wish in rest.wishes] == ["2", "3"]
    assert days(rest) == {2: WED, 3: MON2 + D(1)}  # the next day with the same practitioner
    approve(begun, KEEP, desk)
    assert calendar(begun) == [MON, WED, MON2 + D(1), WED2]


def test_a_colleague_where_the_practitioner_is_away_for_long(begun, desk, chiro, atlanta):
    colleague = make.practitioner(atlanta, name="Sam Stand-in")
    TimeOff.objects.create(practitioner=chiro, starts_at=at(0, day=MON2), ends_at=at(0, day=MON2 + D(30)))

    done = approve(begun, KEEP, desk)

    assert [(visit.practitioner, visit.local_start.date()) for visit in done] == [(colleague, MON2), (colleague, WED2)]


def test_what_stays_is_not_told_and_what_is_the_same_is_not_written(begun, desk):
    missed(begun, 1, desk)
    with monday_noon():
        rest = rearranging.of(begun, way=SHIFT)
        same = visit_of(begun, 3)
        there, left_out = Choice(same.starts_at, same.practitioner), Choice(skip_reason="x")
        choices = {1: Choice(at(10, day=MON3), same.practitioner), 2: left_out, 3: there, 4: left_out}

        done = series.rearrange(begun, choices, seen=rest.seen, by=desk)

    assert [visit.series_visit.number for visit in done] == [1]
    assert [event.step for event in visit_of(begun, 3).history.all()] == ["booked"]


def test_what_is_left_out_stays_owed(begun, desk):
    missed(begun, 1, desk)

    done = series.rearrange(begun, {1: Choice(skip_reason="Asks for a call.")}, seen={1: None}, by=desk)

    assert (done, list(begun.visits.owed().values_list("number", "skipped_reason"))) == ([], [(1, "Asks for a call.")])
    assert series.debts(desk).count() == 1


@pytest.fixture
def checked(patient, adjustment, chiro, atlanta, desk):
    """The same with a re-evaluation after the second visit, by January 15."""
    found = begin(patient, adjustment, chiro, atlanta, desk, checkpoint_after=2, checkpoint_by=date(2027, 1, 15))
    placed = {1: MON, 2: WED, 3: MON2, 4: WED2, 5: MON3}
    series.place(found, {n: Choice(at(10, day=day), chiro) for n, day in placed.items()}, by=desk)
    return found


def test_the_checkpoint_follows_its_visit(checked, desk):
    assert checked.visits.get(number=3).is_checkpoint
    missed(checked, 1, desk)

    with monday_noon():
        proposed = days(rearranging.of(checked, way=SHIFT))

    assert proposed == {1: WED, 2: MON2, 3: WED2, 4: MON3, 5: MON3 + D(2)}


def test_the_checkpoint_is_not_later_than_its_day(checked, desk):
    for number in (1, 2, 3):
        visit_status.cancel(visit_of(checked, number), by=desk, reason="Away.")

    with times.as_of(at(12, day=MON2 - D(1))):
        proposed = days(rearranging.of(checked))

    assert proposed == {1: MON2, 2: MON3 + D(2), 3: WED2 + D(1)}  # Thursday: the days of the rhythm are taken


def test_a_booked_checkpoint_after_its_day_comes_forward(checked, desk):
    late = visit_of(checked, 3)
    booking.reschedule(late, starts_at=at(11, day=date(2027, 2, 1)), by=desk)

    rest = rearranging.of(checked)

    assert [wish.key for wish in rest.wishes] == []  # nobody above the series said by when
    rearranging._checkpoints.insert(0, lambda found: (date(2027, 1, 15), 2))
    try:
        assert days(rearranging.of(checked)) == {3: MON2}
    finally:
        rearranging._checkpoints.pop(0)


def test_an_unknown_way(begun):
    assert list(refused(rearranging.of, begun, way="sideways").fields) == ["way"]


def test_who_may(begun, desk, chiro, atlanta, marietta):
    missed(begun, 1, desk)
    for user, error in ((make.user("auditor"), PermissionDenied), (make.user("desk", marietta), Http404)):
        with pytest.raises(error):
            series.rearrange(begun, {1: Choice(at(10, day=MON3), chiro)}, seen={1: None}, by=user)


def test_one_time_taken_meanwhile_and_nothing_changes(begun, desk, chiro, atlanta, adjustment):
    missed(begun, 1, desk)
    with monday_noon():
        rest = rearranging.of(begun, way=SHIFT)
        choices = chosen(rest)
        rival = make.patient(atlanta, given="Rival")
        booking.book(patient=rival, practitioner=chiro, location=atlanta, type=adjustment,
                     starts_at=choices[4].starts_at, by=desk)  # fmt: skip
        before = calendar(begun)

        error = refused(series.rearrange, begun, choices, seen=rest.seen, by=desk)

    assert (error.code, list(error.fields)) == ("slot_taken", ["4"])
    assert calendar(begun) == before
    assert list(begun.visits.owed().values_list("number", flat=True)) == [1]


@pytest.mark.parametrize("change", ["moved", "cancelled", "placed", "let go"])
def test_what_somebody_changed_meanwhile_is_not_overwritten(begun, desk, chiro, change):
    missed(begun, 1, desk)
    with monday_noon():
        rest = rearranging.of(begun, way=SHIFT)
        choices = chosen(rest)
        number = 2 if change in {"moved", "cancelled"} else 1
        if change == "moved":
            booking.reschedule(visit_of(begun, 2), starts_at=at(15, day=WED), by=desk)
        elif change == "cancelled":
            visit_status.cancel(visit_of(begun, 2), by=desk, reason="Flu.")
        elif change == "placed":
            series.place(begun, {1: Choice(at(11, day=MON3 + D(4)), chiro)}, by=desk)
        else:
            series.waive(begun.visits.get(number=1), by=desk, reason="Enough.")
        before = calendar(begun)

        error = refused(series.rearrange, begun, choices, seen=rest.seen, by=desk)

    assert (error.code, list(error.fields), calendar(begun)) == ("changed_meanwhile", [str(number)], before)


def test_a_closed_series_gets_nothing_new(begun, desk, chiro):
    missed(begun, 1, desk)
    series.set_open(begun, False)
    begun.refresh_from_db()

    assert rearranging.of(begun).wishes == []
    error = refused(series.rearrange, begun, {1: Choice(at(10, day=MON3), chiro)}, seen={1: None}, by=desk)
    assert error.code == "wrong_status"


def test_the_page_shows_before_beside_after_and_the_mail(sign_in, begun, desk, patient):
    patient.consents.create(scope="email_reminders", given_at=times.now())
    missed(begun, 1, desk)
    client = sign_in(desk)

    with monday_noon():
        page = client.get(f"/series/{begun.pk}/rearrange/", {"way": SHIFT})
        body = page.content.decode()
        (mail,) = page.context["mails"]
        posted = {row.name: row.chosen.value for row in page.context["rows"]}
        posted |= {f"seen-{n}": "" if s is None else s for n, s in rearranging.of(begun, way=SHIFT).seen.items()}
        answer = client.post(f"/series/{begun.pk}/rearrange/", {"way": SHIFT, **posted})

    assert page.context["summary"] == {"stays": 0, "moves": 3, "new": 1, "owed": 0, "barred": 0}
    assert "Did not come Mon, Jan 4" in body
    assert "Wednesday, January 6, 2027" in mail.mail.text
    assert answer.status_code == 302
    assert calendar(begun) == [WED, MON2, WED2, MON3]


def test_the_page_after_a_refusal_keeps_what_was_chosen(sign_in, begun, desk, chiro):
    missed(begun, 1, desk)
    client = sign_in(desk)
    later = at(16, day=MON3 + D(1))
    with monday_noon():
        client.get(f"/series/{begun.pk}/rearrange/")
        booking.reschedule(visit_of(begun, 4), starts_at=later, by=desk)
        value = f"{later.isoformat()}|{chiro.pk}"
        answer = client.post(f"/series/{begun.pk}/rearrange/", {"visit-1": value, "seen-1": "", "reason": "Typed"})

    assert answer.status_code == 409
    assert "on January 19 already" in answer.content.decode()
    assert 'value="Typed"' in answer.content.decode()


def test_the_page_refuses_an_unknown_way_and_shows_when_all_is_in_step(sign_in, begun, desk):
    client = sign_in(desk)

    assert client.get(f"/series/{begun.pk}/rearrange/", {"way": "up"}).status_code == 400
    assert "Everything is in step" in client.get(f"/series/{begun.pk}/rearrange/").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_visits(begun, desk, django_assert_max_num_queries):
    for number in (2, 3, 4):
        visit_status.cancel(visit_of(begun, number), by=desk, reason="Flu.")

    with django_assert_max_num_queries(30):
        rearranging.of(begun).propose()


def test_by_the_api(api, begun, desk):
    missed(begun, 1, desk)
    client = api(desk)
    with monday_noon():
        found = client.post(f"/api/v1/series/{begun.pk}/propose-rest/", {"way": "shift"}).json()
        asked = [
            {"number": one["number"], "sequence": one["sequence"], "starts_at": one["proposed"]["starts_at"],
             "practitioner": one["proposed"]["practitioner"]["id"]}
            for one in found["visits"]
        ]  # fmt: skip
        stale = client.post(f"/api/v1/series/{begun.pk}/rearrange/", {"visits": [{**asked[1], "sequence": 7}]})
        wrong = client.post(f"/api/v1/series/{begun.pk}/rearrange/", {"visits": [{"number": 1, "starts": "x"}]})
        twice = client.post(f"/api/v1/series/{begun.pk}/rearrange/", {"visits": [asked[0], asked[0]]})
        done = client.post(f"/api/v1/series/{begun.pk}/rearrange/", {"visits": asked, "reason": "Missed"})

    assert [one["asks"] for one in found["visits"]] == [True] * 4
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert (wrong.status_code, twice.status_code) == (400, 400)
    assert (done.status_code, len(done.json()["visits"])) == (200, 4)
    assert calendar(begun) == [WED, MON2, WED2, MON3]


class TestTheTotalIsKept(TestCase):
    """Whatever happens, in whatever order: no visit is lost, none is had twice, and nothing overlaps."""

    @settings(max_examples=25)
    @given(st.lists(st.tuples(st.sampled_from(["miss", "cancel", "away", "come", "rival", KEEP, SHIFT]),
                              st.integers(1, 6)), min_size=1, max_size=10))  # fmt: skip
    def test_whatever_happens(self, steps):
        place = make.location("atlanta")
        chiro, desk, patient = make.practitioner(place), make.user("desk", place), make.patient(place)
        adjustment = make.appointment_type()
        pattern = Pattern(MONDAY, (Stretch(2, 3),), (0, 2), TEN)
        found = series.begin(patient=patient, type=adjustment, practitioner=chiro, location=place, pattern=pattern,
                             by=desk)  # fmt: skip
        approve(found, KEEP, desk)
        now = at(8)
        for step, number in steps:
            now += D(hours=30)
            with times.as_of(now):
                self.act(step, number, found, chiro, desk, adjustment, place)
        assert found.visits.count() == 6
        standing = list(Appointment.objects.holding_time().filter(series_visit__series=found).with_names())
        owed = found.visits.owed().count()
        assert len(standing) + owed == 6
        for resource in ("patient_id", "practitioner_id", "room_id"):
            spans = [(getattr(v, resource), v.start_minute, v.end_minute) for v in Appointment.objects.holding_time()]
            for one, other in combinations(spans, 2):
                assert not (one[0] == other[0] and one[1] < other[2] and other[1] < one[2])
        on_days = Counter(visit.local_start.date() for visit in standing)
        assert set(on_days.values()) - {1} == set()

    def act(self, step, number, found, chiro, desk, adjustment, place):
        rows = Appointment.objects.holding_time().filter(series_visit__series=found, series_visit__number=number)
        visit = rows.with_names().with_series().first()
        if step in rearranging.WAYS:
            approve(found, step, desk)
        elif step == "away":
            day = times.local(times.now(), place.time_zone).date() + D(number)
            if not chiro.time_off.filter(starts_at__lt=at(0, day=day + D(1)), ends_at__gt=at(0, day=day)).exists():
                TimeOff.objects.create(practitioner=chiro, starts_at=at(0, day=day), ends_at=at(0, day=day + D(1)))
        elif step == "rival":
            rival = make.patient(place, given="Rival")
            day = times.local(times.now(), place.time_zone).date() + D(number)
            with suppress(RuleBroken):
                booking.book(patient=rival, practitioner=chiro, location=place, type=adjustment, by=desk,
                             starts_at=at(10, day=day))  # fmt: skip
        elif visit and visit.status in booking.MOVABLE:
            name = {"miss": "no-show", "cancel": "cancel", "come": "arrive"}[step]
            with suppress(RuleBroken):  # too early
                visit_status.take(name, visit, by=desk, reason="Because.")
