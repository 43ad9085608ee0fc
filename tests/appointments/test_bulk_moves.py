import html
import re
from datetime import time, timedelta

import pytest
import time_machine

from appointments import booking, reminders, visit_status
from appointments.models import Appointment, TimeOff
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposal_page import value_of
from appointments.recurring.proposals import Choice
from clinic import outbox
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from locations import opening
from locations.models import Closure, Practitioner
from tests import make
from tests.make import MONDAY, at

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def colleague(atlanta):
    return make.practitioner(atlanta, name="Aaron Other")


@pytest.fixture
def visits(atlanta, chiro, adjustment, desk):
    """Three visits of three patients on Monday: at 9, 10 and 11; the patients agreed to mails."""
    made = []
    for hour, given in ((9, "Ann"), (10, "Ben"), (11, "Cleo")):
        person = make.patient(atlanta, given=given)
        person.consents.create(scope="email_reminders", given_at=at(9, day=MONDAY - timedelta(days=30)))
        made.append(
            booking.book(
                patient=person, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(hour), by=desk
            )
        )
    return made


@pytest.fixture
def ill(atlanta, chiro):
    """The page's question: everything of the practitioner on Monday, to anybody free at the same time."""
    return {"practitioner": chiro.pk, "location": "atlanta", "first": MONDAY, "last": "", "which": "all",
            "to": "anyone", "at": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("to", "time_then", "why"),
    [
        ("colleague", "10:07", ""),
        ("anyone", "10:00", "10:07 AM is not offered: such visits begin every 15 minutes."),
    ],
)
def test_a_visit_that_was_typed_off_the_step_keeps_its_time_with_a_colleague(
    atlanta, chiro, adjustment, desk, colleague, to, time_then, why
):
    visit = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(10, 7),
        by=desk,
    )  # fmt: skip

    question = bulk_moves.question([visit], span(atlanta, chiro), to=colleague if to == "colleague" else to)
    [line] = question.propose()

    assert (line.why, f"{line.slot.local_start:%H:%M}") == (why, time_then)


def span(place, chiro=None, **changes):
    return Span(locations=[place], first=MONDAY, last=MONDAY, practitioner=chiro, **changes)


def chosen(answer):
    """The rows as they are sent back: what is chosen, and which visit that was decided upon."""
    rows = [one["row"] for one in answer.context["rows"]]
    seen = {f"seen-{row.key}": row.seen for row in rows}
    return seen | {row.name: row.chosen.value if row.chosen else "skip" for row in rows}


def seen(visits):
    return {f"{visit.pk}": visit.sequence for visit in visits}


def proposed(answer):
    slots = (one["row"].line.slot for one in answer.context["rows"])
    return [slot and f"{slot.local_start:%a %H:%M} {slot.practitioner.user.full_name}" for slot in slots]


def where():
    rows = Appointment.objects.holding_time().with_names().order_by("patient__given_name")
    return [f"{v.local_start:%a %H:%M} {v.practitioner.user.full_name}" for v in rows]


def test_an_ill_practitioners_day_goes_to_a_colleague_at_the_same_times(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)

    shown = client.get("/moves/", ill)
    answer = client.post("/moves/", {**ill, **chosen(shown), "reason": "Flu"}, follow=True)

    assert proposed(shown) == [f"Mon {hour} Aaron Other" for hour in ("09:00", "10:00", "11:00")]
    assert where() == [f"Mon {hour} Aaron Other" for hour in ("09:00", "10:00", "11:00")]
    assert "3 visits moved." in answer.content.decode()
    assert [v.history.latest("at", "pk").reason for v in visits] == ["Flu"] * 3
    entry = AuditEntry.objects.get(action="visits.moved_together")
    assert entry.detail == {"visits": [v.pk for v in visits], "reason": "Flu"}


def test_a_visit_that_was_only_agreed_to_where_it_stands_has_not_moved(sign_in, atlanta, chiro, visits, ill):
    chiro.weekly_hours.all().delete()
    client = sign_in(make.user("manager", atlanta))
    asked = {**ill, "which": "stuck", "to": "same"}
    sent = {**asked, **chosen(client.get("/moves/", asked)), "reason": "Flu"}
    key = f"{visits[0].pk}"
    sent |= {f"visit-{key}": value_of(at(9), chiro.pk, against=True), "override_reason": "Agreed by phone"}

    said = client.post("/moves/", sent, follow=True).content.decode()

    assert "1 visit agreed to where it stands." in said
    assert "mails leave" not in said


def test_the_same_practitioner_is_proposed_on_the_nearest_day_that_they_are_there(sign_in, desk, visits, ill):
    shown = sign_in(desk).get("/moves/", {**ill, "to": "same"})

    assert proposed(shown) == [f"Tue {hour} Robin Sample" for hour in ("09:00", "10:00", "11:00")]


def test_when_nobody_is_free_then_the_usual_practitioner_is_offered_beside_the_colleague(
    sign_in, desk, visits, ill, colleague, atlanta, adjustment
):
    booking.book(
        patient=make.patient(atlanta), practitioner=colleague, location=atlanta, type=adjustment, starts_at=at(9),
        by=desk,
    )  # fmt: skip

    answer = sign_in(desk).get("/moves/", ill)

    first = answer.context["rows"][0]["row"]
    people = {option.slot.practitioner.user.full_name for option in first.options}
    assert first.line.why == "Nobody is free at this time."
    assert people == {"Aaron Other", "Robin Sample"}


def test_a_time_taken_meanwhile_refuses_all_and_marks_the_row(
    sign_in, desk, visits, ill, colleague, atlanta, adjustment
):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), "reason": "Flu"}
    booking.book(
        patient=make.patient(atlanta), practitioner=colleague, location=atlanta, type=adjustment, starts_at=at(10),
        by=desk,
    )  # fmt: skip

    answer = client.post("/moves/", sent)

    rows = [one["row"] for one in answer.context["rows"]]
    assert answer.status_code == 409
    assert [row.fault for row in rows] == ["", "Aaron Other, DC already has a visit then.", ""]
    assert rows[1].line.slot is not None
    assert sum("Robin Sample" in one for one in where()) == 3
    assert client.post("/moves/", {**sent, **chosen(answer)}).status_code == 302


def test_what_is_left_stays_and_is_proposed_again(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), f"visit-{visits[1].pk}": "skip", "reason": "Flu"}

    answer = client.post("/moves/", sent, follow=True)

    assert where() == ["Mon 09:00 Aaron Other", "Mon 10:00 Robin Sample", "Mon 11:00 Aaron Other"]
    assert [one["visit"] for one in answer.context["rows"]] == [visits[1]]
    assert "1 visit left where they are: listed until moved." in answer.content.decode()


def test_a_visit_cancelled_meanwhile_refuses_and_leaves_the_list(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), "reason": "Flu"}
    visit_status.cancel(visits[0], by=desk)

    answer = client.post("/moves/", sent)

    assert (answer.status_code, len(answer.context["rows"])) == (409, 2)
    assert "1 of 3 visits are not to be moved any more." in answer.content.decode()
    assert where() == ["Mon 10:00 Robin Sample", "Mon 11:00 Robin Sample"]


def test_moving_needs_a_reason_and_loses_nothing_without(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), f"visit-{visits[1].pk}": "skip"}

    answer = client.post("/moves/", sent)

    assert answer.status_code == 400
    assert "Say why the visits move" in answer.content.decode()
    assert chosen(answer)[f"visit-{visits[1].pk}"] == "skip"


def test_the_mail_shown_is_the_mail_sent(sign_in, desk, visits, ill, colleague, mailoutbox):
    with time_machine.travel(at(9, day=MONDAY - timedelta(days=4)), tick=False) as clock:
        outbox.begin()
        client = sign_in(desk)
        sent = {**ill, **chosen(client.get("/moves/", {**ill, "to": "same"})), "reason": "Flu"}
        shown = client.post("/moves/", {**sent, "do": "preview"})
        before = where()
        client.post("/moves/", sent)
        clock.shift(reminders.GRACE)
        outbox.send_due()

    previews = {one.mail.to: (one.mail.subject, one.mail.text) for one in shown.context["mails"]}
    assert before == ["Mon 09:00 Robin Sample", "Mon 10:00 Robin Sample", "Mon 11:00 Robin Sample"]
    assert len(previews) == 3
    for mail in mailoutbox:
        subject, text = previews[mail.to[0]]
        body = "\n".join("…" if "/my/" in line else line for line in mail.body.splitlines())
        assert (mail.subject, body.strip()) == (subject, text.strip())


def test_a_patient_with_two_visits_gets_one_mail_and_it_is_the_one_shown(
    sign_in, desk, visits, ill, atlanta, chiro, adjustment, mailoutbox
):
    with time_machine.travel(at(9, day=MONDAY - timedelta(days=4)), tick=False) as clock:
        outbox.begin()
        booking.book(
            patient=visits[0].patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(16), by=desk
        )
        clock.shift(timedelta(days=1))
        outbox.begin()
        client = sign_in(desk)
        shown = client.get("/moves/", {**ill, "to": "same"})
        client.post("/moves/", {**ill, "to": "same", **chosen(shown), "reason": "Flu"})
        clock.shift(reminders.GRACE)
        outbox.send_due()

    (preview,) = [one for one in shown.context["mails"] if one.count == 2]
    (mail,) = [mail for mail in mailoutbox if mail.to == [preview.mail.to]]
    body, text = (re.sub(r"http\S+", "…", one.strip()) for one in (mail.body, preview.mail.text))
    assert (mail.subject, body) == (preview.mail.subject, text)
    assert mail.subject == "2 of your visits have changed"


def test_who_cannot_be_written_to_is_to_be_called(sign_in, desk, visits, ill, colleague):
    visits[0].patient.consents.all().delete()

    answer = sign_in(desk).get("/moves/", ill)

    assert "no mail: call" in answer.content.decode()
    assert [bool(one.mail) for one in answer.context["mails"]] == [False, True, True]


def test_previewing_writes_nothing(sign_in, desk, visits, ill, colleague, django_assert_max_num_queries):
    client = sign_in(desk)
    before = AuditEntry.objects.count(), Appointment.objects.values_list("sequence", flat=True)

    sent = {**ill, **chosen(client.get("/moves/", ill)), "do": "preview"}
    with django_assert_max_num_queries(40):
        client.post("/moves/", sent)

    assert (AuditEntry.objects.count(), Appointment.objects.values_list("sequence", flat=True))[0] == before[0]
    assert set(Appointment.objects.values_list("sequence", flat=True)) == {0}


def test_only_what_cannot_take_place_is_found_with_the_reason(visits, atlanta, chiro, desk, adjustment):
    fine = booking.book(
        patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment,
        starts_at=at(10, day=TUESDAY), by=desk,
    )  # fmt: skip
    asked = Span(locations=[atlanta], first=MONDAY, last=TUESDAY, only_stuck=True)
    before = bulk_moves.affected(asked, desk)
    TimeOff.objects.create(practitioner=chiro, starts_at=at(9, 30), ends_at=at(10, 30))
    away = bulk_moves.affected(asked, desk)
    Closure.objects.create(location=atlanta, starts_on=MONDAY, ends_on=MONDAY, reason="Flood")
    closed = bulk_moves.affected(asked, desk)
    Practitioner.objects.update(is_active=False)
    gone = bulk_moves.affected(asked, desk)

    assert before == []
    assert [(one.visit, one.why) for one in away] == [(visits[1], "Robin Sample, DC does not work at Atlanta then.")]
    assert [(one.visit, one.why) for one in closed] == [(v, "Atlanta is closed on January 4.") for v in visits]
    assert [one.visit for one in gone] == [*visits, fine]


def test_visits_outside_new_opening_hours_are_stuck(visits, atlanta, owner, desk):
    opening.set_hours(atlanta, [], by=owner)

    assert len(bulk_moves.affected(span(atlanta, only_stuck=True), desk)) == 3


def test_to_another_clinic_by_its_clock(visits, atlanta, chiro, nashville, desk):
    make.practitioner(nashville, name="Nash Ville")
    make.user("desk", nashville)
    both = make.user("desk", atlanta, nashville)

    asked = bulk_moves.question(visits, span(atlanta, chiro), location=nashville)
    choices = {line.wish.key: Choice(line.slot.starts_at, line.slot.practitioner) for line in asked.propose()}
    moved = bulk_moves.move(asked, choices, seen=seen(visits), by=both, reason="Water")

    assert [(v.location, f"{v.local_start:%H:%M %Z}") for v in moved] == [
        (nashville, "09:00 CST"), (nashville, "10:00 CST"), (nashville, "11:00 CST"),
    ]  # fmt: skip
    with pytest.raises(RuleBroken):
        bulk_moves.move(asked, choices, seen=seen(visits), by=both, reason="")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first": "soon"}, "first"),
        ({"last": "2026-01-01"}, "last"),
        ({"last": "2028-01-01"}, "last"),
        ({"practitioner": "0"}, "practitioner"),
        ({"practitioner": ""}, "practitioner"),
        ({"practitioner": "9" * 30}, "practitioner"),
        ({"location": "nowhere"}, "location"),
        ({"which": "some"}, "which"),
        ({"to": "x"}, "to"),
        ({"at": "nowhere"}, "at"),
    ],
)
def test_a_wrong_question_is_refused_at_its_field(sign_in, desk, visits, ill, change, field):
    answer = sign_in(desk).get("/moves/", {**ill, **change})

    assert (answer.status_code, list(answer.context["form"].errors)) == (400, [field])


def test_what_is_posted_is_not_trusted(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), "reason": "Flu"}
    name = f"visit-{visits[0].pk}"

    for value, status in (("", 400), ("x|1", 400), (f"2027-01-04T03:00:00-05:00|{colleague.pk}", 409)):
        answer = client.post("/moves/", {**sent, name: value})
        assert (answer.status_code, [o["row"].name for o in answer.context["rows"] if o["row"].fault]) == (
            status, [name],
        )  # fmt: skip
    assert where() == ["Mon 09:00 Robin Sample", "Mon 10:00 Robin Sample", "Mon 11:00 Robin Sample"]


def test_a_visit_moved_by_telephone_meanwhile_is_not_moved_again_before_it_was_seen(
    sign_in, desk, visits, ill, colleague
):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), "reason": "Flu"}
    booking.reschedule(visits[1], starts_at=at(15), by=desk, reason="Asked for the afternoon")
    telephoned = ["Mon 09:00 Robin Sample", "Mon 15:00 Robin Sample", "Mon 11:00 Robin Sample"]

    stale = client.post("/moves/", sent)
    marked = {one["row"].key: one["row"] for one in stale.context["rows"] if one["row"].fault}
    unseen = client.post("/moves/", {name: value for name, value in sent.items() if not name.startswith("seen-")})
    before = where()
    client.post("/moves/", {**ill, **chosen(stale), "reason": "Flu"})

    assert (stale.status_code, unseen.status_code, before) == (409, 409, telephoned)
    assert [*marked] == [f"{visits[1].pk}"]
    assert "It is now: Monday, January 4, 2027 at 3:00 PM EST" in marked[f"{visits[1].pk}"].fault
    assert where() == ["Mon 09:00 Aaron Other", "Mon 15:00 Aaron Other", "Mon 11:00 Aaron Other"]


def test_looking_at_the_mails_does_not_take_a_change_for_seen(sign_in, desk, visits, ill, colleague):
    client = sign_in(desk)
    sent = {**ill, **chosen(client.get("/moves/", ill)), "reason": "Flu"}
    booking.reschedule(visits[1], starts_at=at(15), by=desk)

    shown = client.post("/moves/", {**sent, "do": "preview"})

    assert client.post("/moves/", {**ill, **chosen(shown), "reason": "Flu"}).status_code == 409


def test_other_clinics_are_out_of_sight(sign_in, visits, ill, marietta):
    stranger = make.user("desk", marietta)

    answer = sign_in(stranger).get("/moves/", {**ill, "location": "", "practitioner": ""} | {"which": "stuck"})

    assert (answer.status_code, answer.context.get("rows")) == (200, [])


def test_more_visits_ask_no_more_questions(
    visits, atlanta, chiro, adjustment, desk, colleague, django_assert_max_num_queries
):
    with django_assert_max_num_queries(40) as few:
        found = bulk_moves.affected(span(atlanta, chiro), desk)
        bulk_moves.question([one.visit for one in found], span(atlanta, chiro)).propose()
    for hour in (12, 13, 14, 15):
        booking.book(
            patient=make.patient(atlanta), practitioner=chiro, location=atlanta, type=adjustment, starts_at=at(hour),
            by=desk,
        )  # fmt: skip
    with django_assert_max_num_queries(len(few)):
        found = bulk_moves.affected(span(atlanta, chiro), desk)
        lines = bulk_moves.question([one.visit for one in found], span(atlanta, chiro)).propose()

    assert len(lines) == 7


def test_the_pages_that_notice_it_lead_there(sign_in, visits, atlanta, chiro, owner):
    manager = make.user("manager", atlanta)
    TimeOff.objects.create(practitioner=chiro, starts_at=at(9, 30), ends_at=at(10, 30))
    opening.close([atlanta], starts_on=MONDAY, ends_on=MONDAY, reason="Flood", by=owner)
    client = sign_in(manager)

    ways = [
        re.search(r'href="(/moves/\?[^"]+which=stuck[^"]*)"', client.get(page).content.decode())
        for page in (f"/setup/practitioners/{chiro.pk}/", "/setup/closures/", "/worklists/?list=in_the_way")
    ]

    for way in ways:
        answer = client.get(html.unescape(way[1]))
        assert (answer.status_code, [one["visit"] for one in answer.context["rows"]]) == (200, visits)


@pytest.fixture
def members(atlanta, chiro, adjustment, desk):
    """A series of three visits on Monday, Wednesday and Friday at ten."""
    person = make.patient(atlanta, given="Dora")
    begun = series.begin(
        patient=person, type=adjustment, practitioner=chiro, location=atlanta, by=desk,
        pattern=Pattern(MONDAY, (Stretch(3, 1),), (0, 2, 4), time(10)),
    )  # fmt: skip
    days = [MONDAY + timedelta(days=n) for n in (0, 2, 4)]
    return series.place(begun, {n: Choice(at(10, day=day), chiro) for n, day in enumerate(days, 1)}, by=desk)


def test_visits_of_a_series_are_proposed_for_days_of_their_own(members, atlanta, chiro, desk):
    """Monday and Wednesday are lost: neither goes to the other's new day, nor to the Friday that stays."""
    asked = Span(locations=[atlanta], first=MONDAY, last=MONDAY + timedelta(days=2), practitioner=chiro)
    found = [one.visit for one in bulk_moves.affected(asked, desk)]

    lines = bulk_moves.question(found, asked, to=bulk_moves.SAME).propose()

    days = [line.slot.local_start.date() for line in lines]
    assert found == members[:2]
    assert len({*days, members[2].local_start.date()}) == 3
    assert min(days) > MONDAY + timedelta(days=2)


def test_two_of_a_series_on_one_day_are_refused(members, atlanta, chiro, desk):
    asked = bulk_moves.question(members[:1], span(atlanta, chiro), to=bulk_moves.SAME)
    friday = at(15, day=MONDAY + timedelta(days=4))

    choices = {f"{members[0].pk}": Choice(friday, chiro)}
    with pytest.raises(RuleBroken) as refused:
        bulk_moves.move(asked, choices, seen=seen(members), by=desk, reason="Flu")

    assert (refused.value.code, refused.value.fields) == (
        "two_on_a_day", {f"{members[0].pk}": "Another visit of the series is on January 8 already."},
    )  # fmt: skip
    assert refused.value.alternatives[f"{members[0].pk}"]


def test_two_visits_of_a_patient_on_one_day_may_stay_together(
    atlanta, chiro, desk, evaluation_type, adjustment, colleague
):
    """An adjustment after the evaluation: they are no series, and move as they were."""
    person = make.patient(atlanta)
    pair = [
        booking.book(patient=person, practitioner=chiro, location=atlanta, type=kind, starts_at=at(hour), by=desk)
        for kind, hour in ((evaluation_type, 9), (adjustment, 10))
    ]

    lines = bulk_moves.question(pair, span(atlanta, chiro)).propose()

    assert [f"{line.slot.local_start:%a %H:%M}" for line in lines] == ["Mon 09:00", "Mon 10:00"]


def test_long_absences_are_looked_past(visits, atlanta, chiro, desk):
    """Two weeks away: the nearest time with the same practitioner is after them."""
    back = MONDAY + timedelta(days=14)
    asked = Span(locations=[atlanta], first=MONDAY, last=back - timedelta(days=1), practitioner=chiro)

    lines = bulk_moves.question([one.visit for one in bulk_moves.affected(asked, desk)], asked, to=bulk_moves.SAME)

    assert {line.slot.local_start.date() for line in lines.propose()} == {back}


def test_one_visit_more_than_fits_a_page_follows_later(sign_in, desk, visits, ill, monkeypatch):
    monkeypatch.setattr(bulk_moves, "MOST", 2)

    answer = sign_in(desk).get("/moves/", ill)

    assert (len(answer.context["rows"]), answer.context["more"]) == (2, 1)
    assert "1 more follow when these are done" in answer.content.decode()
