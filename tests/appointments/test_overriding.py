"""Against hours, notice or travel with a reason, in a series and in a move of several, as a single booking can."""

from datetime import time, timedelta

import pytest

from appointments import booking, reminders
from appointments.models import Appointment, AppointmentEvent, TimeOff
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span
from appointments.recurring import rearranging, series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from clinic import times
from clinic.errors import RuleBroken
from tests import make
from tests.make import MONDAY, at

EARLY, TEN = time(8, 30), time(10)  # they work from nine
DAYS = [MONDAY + timedelta(n) for n in (0, 2, 7, 9)]
SERIES, MOVES = "/api/v1/series/", "/api/v1/visit-moves/"
WHY = "Flies at ten"


@pytest.fixture
def manager(atlanta):
    return make.user("manager", atlanta)


@pytest.fixture
def begun(patient, adjustment, chiro, atlanta, desk):
    return series.begin(
        patient=patient, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(2, 2),), (0, 2), EARLY),
    )  # fmt: skip


def early(chiro, *numbers, reason=WHY, hour=8):
    return {n: Choice(at(hour, 30, day=DAYS[n - 1]), chiro, override_reason=reason) for n in numbers}


def refused(rule, *given, **named):
    with pytest.raises(RuleBroken) as raised:
        rule(*given, **named)
    return raised.value


def kept():
    """What the history says of each visit, the last step of each."""
    steps = {event.appointment_id: event for event in AppointmentEvent.objects.order_by("at", "pk")}
    return [(event.overridden, event.reason, event.override_reason) for event in steps.values()]


# --- the verbs


def test_a_manager_places_a_series_against_the_hours_and_the_reason_is_kept_with_each(begun, chiro, manager):
    inside = {3: Choice(at(10, day=DAYS[2]), chiro), 4: Choice(skip_reason="Away")}
    series.place(begun, early(chiro, 1, 2) | inside, by=manager)

    assert kept() == [(["outside_hours"], WHY, WHY)] * 2 + [([], "", "")]


def test_the_practitioner_may_about_the_own_calendar_and_no_other(begun, chiro, atlanta):
    colleague = make.practitioner(atlanta, name="Aaron Other")

    error = refused(series.place, begun, early(colleague, 1), by=chiro.user)
    series.place(begun, early(chiro, 1), by=chiro.user)

    assert (error.code, list(error.fields)) == ("outside_hours", ["1"])
    assert kept() == [(["outside_hours"], WHY, WHY)]


def test_the_desk_cannot_and_nothing_is_placed(begun, chiro, desk):
    choices = early(chiro, 1) | {2: Choice(at(10, day=DAYS[1]), chiro)}

    error = refused(series.place, begun, choices, by=desk)

    assert (error.code, list(error.fields), Appointment.objects.count()) == ("outside_hours", ["1"], 0)


def test_a_reason_for_one_visit_is_none_for_another(begun, chiro, manager):
    other = {2: Choice(at(8, 30, day=DAYS[1]), chiro)}

    error = refused(series.place, begun, early(chiro, 1) | other, by=manager)

    assert (error.code, list(error.fields), Appointment.objects.count()) == ("outside_hours", ["2"], 0)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
def test_without_a_reason_that_can_be_kept_nothing_is_placed(begun, chiro, manager, reason):
    error = refused(series.place, begun, early(chiro, 1, reason=reason), by=manager)

    assert (error.code, list(error.fields), Appointment.objects.count()) == ("invalid", ["override_reason"], 0)


def test_nobody_overrides_an_overlap_in_a_series_or_in_a_move(begun, chiro, manager, owner, atlanta, adjustment):
    make.user("manager", name="Group Manager")
    there = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(8, 30),
        by=manager, override_reason="First",
    )  # fmt: skip
    mine = booking.book(
        patient=make.patient(atlanta),
        practitioner=chiro,
        location=atlanta,
        type=adjustment,
        starts_at=at(10),
        by=manager,
    )
    asked = bulk_moves.question([mine], Span(locations=[atlanta], first=MONDAY, last=MONDAY, practitioner=chiro))
    choice = {f"{mine.pk}": Choice(there.starts_at, chiro, override_reason=WHY)}

    placing = refused(series.place, begun, early(chiro, 1), by=manager)
    moving = refused(bulk_moves.move, asked, choice, seen={f"{mine.pk}": 0}, by=manager, reason="Ill")

    assert (placing.code, moving.code) == ("slot_taken", "slot_taken")
    mine.refresh_from_db()
    assert mine.starts_at == at(10)


def test_two_visits_of_one_list_are_not_put_over_each_other(chiro, manager, atlanta, adjustment):
    visits = [
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(hour),
            by=manager,
        )
        for hour in (10, 11)
    ]  # fmt: skip
    asked = bulk_moves.question(visits, Span(locations=[atlanta], first=MONDAY, last=MONDAY, practitioner=chiro))
    same = Choice(at(8), chiro, override_reason=WHY)

    error = refused(
        bulk_moves.move, asked, {f"{visit.pk}": same for visit in visits}, seen={f"{v.pk}": 0 for v in visits},
        by=manager, reason="Ill",
    )  # fmt: skip

    assert (error.code, list(error.fields)) == ("slot_taken", [f"{visits[1].pk}"])
    assert {v.starts_at for v in Appointment.objects.all()} == {at(10), at(11)}


def test_the_way_and_the_horizon_can_be_overridden_in_a_series(begun, atlanta, marietta, adjustment):
    both = make.practitioner(atlanta, marietta, name="Both Clinics")
    make.travel(atlanta, marietta, 40)
    boss = make.user("manager", atlanta, marietta)
    adjustment.horizon_days = 1
    adjustment.save()
    booking.book(
        patient=make.patient(marietta), practitioner=both, location=marietta, type=adjustment, starts_at=at(10),
        by=boss, override_reason="First",
    )  # fmt: skip

    choice = {1: Choice(at(10, 20), both, override_reason=WHY)}
    series.place(begun, choice, by=boss)

    assert kept()[-1] == (["too_far_ahead", "travel"], WHY, WHY)


def test_both_reasons_of_a_move_are_kept(begun, chiro, manager, sign_in):
    [visit] = series.place(begun, {1: Choice(at(10), chiro)}, by=manager)
    visit = Appointment.objects.with_names().with_series().get(pk=visit.pk)

    choice = {f"{visit.pk}": Choice(at(8, 30), chiro, override_reason=WHY)}
    series.move(visit, choice, seen={f"{visit.pk}": 0}, by=manager, reason="Asked for it")
    booking.reschedule(visit, starts_at=at(7), by=manager, reason="Sooner still", override_reason="The sun rises")

    assert kept() == [(["outside_hours"], "Sooner still", "The sun rises")]
    page = sign_in(manager).get(f"/appointments/{visit.pk}/").content.decode()
    assert f"Allowed outside working hours: {WHY}" in page
    assert "Reason: Asked for it" in page


def test_a_visit_outside_new_hours_is_agreed_to_where_it_stands_and_nobody_is_written_to(
    begun, chiro, manager, atlanta, desk
):
    begun.patient.consents.create(scope="email_reminders", given_at=times.now())
    now = times.now()
    with times.as_of(now - timedelta(days=1)):
        series.place(begun, {1: Choice(at(10), chiro), 2: Choice(at(10, day=DAYS[1]), chiro)}, by=desk)
    chiro.weekly_hours.update(starts=time(11))
    rest = rearranging.of(begun)
    stuck = [one.number for one in rest.remaining if one.appointment and one.why]
    choices = {n: Choice(at(10, day=DAYS[n - 1]), chiro, override_reason=WHY) for n in stuck}

    done = series.rearrange(begun, choices, seen=dict.fromkeys(stuck, 0), by=manager)

    assert (stuck, [v.starts_at for v in done]) == ([1, 2], [at(10), at(10, day=DAYS[1])])
    assert kept() == [(["outside_hours"], WHY, WHY)] * 2
    assert not [one for one in rearranging.of(begun).remaining if one.appointment and one.why]
    told = (now + timedelta(hours=1), now - timedelta(hours=2))
    assert not [due.kind for due in reminders.due(*told) if due.kind == "visit-moved"]
    booking.reschedule(done[0], starts_at=at(11), by=manager)
    assert [due.kind for due in reminders.due(*told) if due.kind == "visit-moved"]


# --- the pages


def chosen(answer, rows):
    seen = {f"seen-{row.key}": row.seen for row in rows if row.seen is not None}
    return seen | {row.name: row.chosen.value if row.chosen else "skip" for row in rows}


@pytest.fixture
def asked(patient, adjustment, chiro, atlanta):
    return {
        "patient": patient.pk, "type": "adjustment", "location": "atlanta", "practitioner": chiro.pk,
        "starts_on": "2027-01-04", "weekdays": ["0", "2"], "at_time": "08:30", "per_week_1": "2", "weeks_1": "2",
    }  # fmt: skip


def against(row):
    return next((option for option in row.options if option.against), None)


def test_the_page_of_a_series_offers_the_wish_itself_to_who_may_override(sign_in, manager, asked):
    client = sign_in(manager)

    shown = client.get("/series/new/", asked)
    rows = shown.context["rows"]
    offered = [against(row) for row in rows]
    assert [f"{one.slot.local_start:%a %H:%M} {one.against}" for one in offered] == [
        "Mon 08:30 outside working hours", "Wed 08:30 outside working hours"] * 2  # fmt: skip
    assert [row.chosen.against for row in rows] == [""] * 4  # proposed is what is free

    sent = {**asked, **chosen(shown, rows), rows[0].name: offered[0].value}
    unsaid = client.post("/series/new/", sent)
    assert (unsaid.status_code, Appointment.objects.count()) == (400, 0)
    assert unsaid.context["override_fault"]
    assert [bool(row.chosen.against) for row in unsaid.context["rows"]] == [True, False, False, False]
    assert "Look at the rows" not in unsaid.content.decode()

    answer = client.post("/series/new/", {**sent, "override_reason": WHY})
    assert answer.status_code == 302
    assert kept()[0] == (["outside_hours"], WHY, WHY)
    assert {codes for codes, _, _ in ((tuple(c), r, o) for c, r, o in kept()[1:])} == {()}


def test_the_desk_is_offered_nothing_against_the_rules_and_cannot_make_it_up(sign_in, desk, manager, asked):
    value = against(sign_in(manager).get("/series/new/", asked).context["rows"][0]).value
    client = sign_in(desk)

    shown = client.get("/series/new/", asked)
    rows = shown.context["rows"]
    sent = {**asked, **chosen(shown, rows), rows[0].name: value, "override_reason": WHY}
    answer = client.post("/series/new/", sent)

    assert [against(row) for row in rows] == [None] * 4
    assert "override_reason" not in shown.content.decode()
    assert (answer.status_code, Appointment.objects.count()) == (409, 0)
    assert answer.context["rows"][0].fault


def test_what_overlaps_is_offered_to_nobody(sign_in, manager, asked, chiro, atlanta, adjustment):
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(8, 30),
        by=manager, override_reason="First",
    )  # fmt: skip

    rows = sign_in(manager).get("/series/new/", asked).context["rows"]

    assert [bool(against(row)) for row in rows] == [False, True, True, True]


def test_the_move_of_several_goes_to_a_colleague_who_does_not_work_then(
    sign_in, manager, desk, chiro, atlanta, adjustment
):
    colleague = make.practitioner(atlanta, name="Aaron Other", starts=time(12))
    visit = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )
    ill = {"practitioner": chiro.pk, "location": "atlanta", "first": f"{MONDAY}", "last": f"{MONDAY}", "which": "all",
           "to": f"{colleague.pk}", "at": ""}  # fmt: skip
    client = sign_in(manager)

    shown = client.get("/moves/", ill)
    [row] = [one["row"] for one in shown.context["rows"]]
    sent = {**ill, **chosen(shown, [row]), row.name: against(row).value, "reason": "Flu"}
    preview = client.post("/moves/", {**sent, "do": "preview"})
    unsaid = client.post("/moves/", sent)
    answer = client.post("/moves/", {**sent, "override_reason": WHY})

    assert (preview.status_code, unsaid.status_code, answer.status_code) == (200, 400, 302)
    assert unsaid.context["override_fault"]
    visit.refresh_from_db()
    assert (visit.practitioner, visit.starts_at) == (colleague, at(9))
    assert kept() == [(["outside_hours"], "Flu", WHY)]


def test_nobody_is_put_back_to_who_is_away(sign_in, manager, desk, chiro, atlanta, adjustment):
    booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )
    ill = {"practitioner": chiro.pk, "location": "atlanta", "first": f"{MONDAY}", "last": f"{MONDAY}", "which": "all",
           "to": "same", "at": ""}  # fmt: skip

    [one] = sign_in(manager).get("/moves/", ill).context["rows"]

    assert against(one["row"]) is None


def test_the_rest_of_a_series_is_arranged_against_the_hours(sign_in, begun, manager, chiro):
    client = sign_in(manager)
    series.place(begun, {1: Choice(skip_reason="x"), **early(chiro, 2)}, by=manager)
    TimeOff.objects.create(practitioner=chiro, starts_at=at(7, day=DAYS[1]), ends_at=at(20, day=DAYS[1]))

    shown = client.get(f"/series/{begun.pk}/rearrange/")
    rows = shown.context["rows"]
    wish = next(row for row in rows if row.key == "1")
    sent = {"way": "keep", **{f"seen-{row.key}": "" for row in rows}, **chosen(shown, rows)}
    sent[wish.name] = against(wish).value
    unsaid = client.post(f"/series/{begun.pk}/rearrange/", sent)
    answer = client.post(f"/series/{begun.pk}/rearrange/", {**sent, "override_reason": WHY})

    assert (unsaid.status_code, answer.status_code) == (400, 302)
    placed = Appointment.objects.get(series_visit__number=1)
    assert placed.history.get().override_reason == WHY


# --- the API


def test_the_api_proposes_and_books_against_the_rules(api, manager, desk, asked):
    body = {
        **{name: asked[name] for name in ("patient", "type", "location", "practitioner", "starts_on")},
        "at_time": "08:30", "weekdays": [0, 2], "stretches": [{"visits_per_week": 2, "weeks": 1}],
    }  # fmt: skip
    lines = api(manager).post(f"{SERIES}propose/", body).json()["visits"]
    wishes = [line["against"] for line in lines]
    visits = [
        {"number": line["number"], "starts_at": wish["starts_at"], "practitioner": wish["practitioner"]["id"],
         "override_reason": WHY}
        for line, wish in zip(lines, wishes, strict=True)
    ]  # fmt: skip

    hidden = api(desk).post(f"{SERIES}propose/", body).json()["visits"]
    no = api(desk).post(SERIES, {**body, "visits": visits})
    blank = api(manager).post(SERIES, {**body, "visits": [{**one, "override_reason": " "} for one in visits]})
    yes = api(manager).post(SERIES, {**body, "visits": visits})

    assert [wish["overrides"] for wish in wishes] == [["outside_hours"]] * 2
    assert [line["against"] for line in hidden] == [None, None]
    assert (no.status_code, no.json()["code"], blank.status_code, yes.status_code) == (409, "outside_hours", 400, 201)
    [event] = api(manager).get(f"/api/v1/appointments/{yes.json()['visits'][0]['appointment']}/events/").json()
    assert (event["overridden"], event["override_reason"]) == (["outside_hours"], WHY)


def test_the_api_moves_several_against_the_rules(api, manager, desk, chiro, atlanta, adjustment):
    visit = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(9), by=desk
    )
    move = {"appointment": visit.pk, "sequence": 0, "starts_at": at(7).isoformat(), "practitioner": chiro.pk}

    plain = api(manager).post(MOVES, {"moves": [move], "reason": "Flu"})
    no = api(desk).post(MOVES, {"moves": [{**move, "override_reason": WHY}], "reason": "Flu"})
    yes = api(manager).post(MOVES, {"moves": [{**move, "override_reason": WHY}], "reason": "Flu"})

    assert [(one.status_code, one.json().get("code")) for one in (plain, no)] == [(409, "outside_hours")] * 2
    assert (yes.status_code, kept()) == (200, [(["outside_hours"], "Flu", WHY)])


def test_the_api_moves_and_rearranges_a_series_against_the_rules(api, manager, begun, chiro, desk):
    [visit] = series.place(begun, {1: Choice(at(10), chiro)}, by=desk)
    asked = {"appointment": visit.pk, "scope": "all", "day": f"{MONDAY}", "at_time": "08:30"}
    proposed = api(manager).post(f"{SERIES}{begun.pk}/propose-move/", asked).json()["visits"][0]["against"]
    to = {"appointment": visit.pk, "sequence": 0, "starts_at": proposed["starts_at"], "practitioner": chiro.pk,
          "override_reason": WHY}  # fmt: skip
    moved = api(manager).post(f"{SERIES}{begun.pk}/move/", {**asked, "visits": [to]})
    anew = {"number": 2, "starts_at": at(8, 30, day=DAYS[1]).isoformat(), "practitioner": chiro.pk}
    plain = api(manager).post(f"{SERIES}{begun.pk}/rearrange/", {"visits": [anew]})
    rearranged = api(manager).post(f"{SERIES}{begun.pk}/rearrange/", {"visits": [{**anew, "override_reason": WHY}]})

    left_out = {"number": 3, "skip": "Away", "override_reason": WHY}
    neither = api(manager).post(f"{SERIES}{begun.pk}/rearrange/", {"visits": [left_out]})
    placing = api(manager).post(f"{SERIES}{begun.pk}/place/", {"visits": [left_out]})

    assert [one.status_code for one in (moved, plain, rearranged, neither, placing)] == [200, 409, 200, 400, 400]
    assert kept() == [(["outside_hours"], WHY, WHY)] * 2
