"""What the tests have to know about an address and cannot read off the resolver: which thing it is about, and what a
good form or body holds. An address that is missing here fails `test_every_address_is_expected`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from unittest import mock
from urllib.parse import urlencode

from appointments.models import Appointment, AppointmentType, Hold, WaitlistEntry
from appointments.waiting import offers, waitlist
from clinic import times, undeliverable
from evaluations.models import VisitNote
from evaluations.safety import red_flags
from locations import access, mail_rules
from locations.models import Location
from tests import a_template, make, signing
from tests.access import links, mails, plans, public
from tests.access.addresses import API, Address
from tests.access.world import TABLE, Side


def _room(side):
    return side.place.rooms.earliest("pk")


# The thing that the parameters of an address name, by the beginning of the address; the longest beginning counts.
# Where the API has the same beginning it is about the same.
ABOUT: dict[str, Callable[[Side], tuple]] = {
    "locations/{slug}/": lambda side: (side.place.slug,),
    "locations/{slug}/delete/": lambda side: (side.spare.slug,),
    "rooms/{pk}/": lambda side: (side.place.rooms.latest("pk").pk,),
    "patients/{pk}/": lambda side: (side.patient.pk,),
    "patients/{pk}/open/": lambda side: (side.lapsed.pk,),
    "opened-charts/{pk}/": lambda side: (side.opening.pk,),
    "appointments/{pk}/": lambda side: (side.visit.pk,),
    "appointments/{pk}/series-move/": lambda side: (side.member.pk,),
    "appointments/{pk}/series-cancel/": lambda side: (side.member.pk,),
    "series/{pk}/": lambda side: (side.series.pk,),
    "waitlist/{pk}/": lambda side: (side.offer.entry_id,),
    "waitlist/{pk}/offer/": lambda side: (_waits(side).pk,),
    "waitlist/{pk}/offers/": lambda side: (_waits(side).pk,),
    "offers/{pk}/": lambda side: (side.offer.pk,),
    "evaluations/{pk}/": lambda side: (side.draft.pk,),
    "evaluations/{pk}/addenda/": lambda side: (side.signed.pk,),
    "evaluations/{pk}/report/{form}.pdf": lambda side: (side.draft.pk, "patient"),
    "visit-notes/{pk}/": lambda side: (side.note.pk,),
    "visit-notes/{pk}/addenda/": lambda side: (side.signed_note.pk,),
    "incidents/{pk}/": lambda side: (side.incident.pk,),
    "red-flags/{pk}/": lambda side: (side.event.pk,),
    "care-plans/{pk}/": lambda side: (side.plan.pk,),
    "setup/plan-templates/{pk}/": lambda side: (a_template.one().pk,),
    "setup/plan-templates/{pk}/versions/{number}/": lambda side: (a_template.one().pk, 1),
    "plan-templates/{pk}/": lambda side: (a_template.one().pk,),
    "care-plans/{pk}/versions/{number}/": lambda side: (side.plan.pk, 1),
    "api/v1/care-plans/{pk}/versions/{number}/": lambda side: (side.plan.pk, 1),
    "messages/{pk}/": lambda side: (side.message.pk,),
    "messages/patient/{pk}/": lambda side: (side.patient.pk,),
    "messages/addresses/{pk}/": lambda side: (side.patient.pk,),
    "setup/clinics/{slug}/": lambda side: (side.place.slug,),
    "setup/clinics/{slug}/delete/": lambda side: (side.spare.slug,),
    "setup/rooms/{pk}/": lambda side: (_room(side).pk,),
    "closures/{pk}/": lambda side: (side.place.closures.get().pk,),
    "setup/closures/{pk}/": lambda side: (side.place.closures.get().pk,),
    "setup/practitioners/{pk}/": lambda side: (side.chiro.pk,),
    "setup/practitioners/{pk}/hours/{slug}/": lambda side: (side.chiro.pk, side.place.slug),
    "setup/hours/{kind}/{pk}/": lambda side: ("away", side.chiro.time_off.get().pk),
    "setup/types/{slug}/": lambda side: (side.type.slug,),
    "setup/types/{slug}/delete/": lambda side: (AppointmentType.objects.get_or_create(**_SPARE_TYPE)[0].slug,),
    "setup/people/{pk}/": lambda side: (side.newcomer.pk,),
    "setup/roles/{pk}/": lambda side: (side.newcomer.assignments.get().pk,),
    "mail-events/{service}/": lambda side: ("postmark",),
    "welcome/{token}/": lambda side: (side.links["welcome"],),
    "my/intake/{token}/": lambda side: (side.links["intake"],),
    "my/intake/{token}/{code}/": lambda side: (side.links["intake"], "now"),
    "my/calendar/{token}.ics": lambda side: (side.links["feed"],),
    "my/plan/{token}/": lambda side: (side.links["plan"],),
    "my/offers/{token}/": lambda side: (side.links["offer"],),
    "my/visits/{token}/": lambda side: (side.links["visit"],),
    "my/unsubscribe/{token}/": lambda side: (side.links["stop"],),
    "book/confirm/{token}/": lambda side: (public.link(side),),
}

# Addresses that take the thing they are about from the query.
ASKED: dict[str, Callable[[Side], dict]] = {
    "care-plans/new/": lambda side: {"evaluation": side.signed.pk},
    "appointments/new/": lambda side: {"patient": side.patient.pk},
    **mails.ASKED,
    "calendar/patient-feed/": lambda side: {"patient": side.patient.pk},
    "messages/patient/": lambda side: {"patient": side.patient.pk},
    "series/new/": lambda side: {"patient": side.patient.pk},
    "waitlist/new/": lambda side: {"patient": side.patient.pk},
    "waitlist/{pk}/offer/": lambda side: {"slot": _free(side)},
}


@dataclass(frozen=True)
class Good:
    """A form or body that does what the address is for; `before` brings the thing into the state that it needs.

    `changes` is False where a good request writes nothing but the session.
    """

    body: Callable[[Side], dict] = lambda side: {}
    before: Callable[[Side], object] = lambda side: None
    changes: bool = True


def _clinic_is_closed(side):
    Location.objects.filter(pk=side.place.pk).update(is_open=False)


def _visit_is(status, **changes):
    return lambda side: Appointment.objects.filter(pk=side.visit.pk).update(status=status, **changes)


def _holds_are_over(side):
    Hold.objects.all().delete()


def _visit_begins(status="booked"):
    """The visits of this world are days ahead; this one is now."""
    return lambda side: _visit_is(status, starts_at=times.now())(side)


def _visit_was_confirmed(side):
    _visit_is("confirmed")(side)
    side.visit.history.create(
        step="confirmed", at=times.now(), by=side.chiro.user, by_whom="Robin", from_status="booked",
        to_status="confirmed", to_start=side.visit.starts_at,
    )  # fmt: skip


def _visit_is_today(side):
    """And has no note yet."""
    _visit_begins()(side)
    VisitNote.objects.filter(appointment=side.visit).delete()


def _flag_is_open(side):
    asked = {"patient": side.patient, "evaluation": None, "by": side.chiro.user}
    red_flags.answer(**asked, answers={"rf_thunderclap": "yes"})


def _new_patient(side):
    return {"given_name": "Morgan", "family_name": "Newcomer", "birth_date": "1980-02-03"}


def _clinic(side):
    place = side.place
    return {name: getattr(place, name) for name in ("name", "city", "state", "time_zone")} | {"parking": "Behind"}


_HOURS = {
    "hours-TOTAL_FORMS": 1, "hours-INITIAL_FORMS": 0, "hours-0-days": ["0", "2"], "hours-0-starts": "07:00",
    "hours-0-ends": "19:00",
}  # fmt: skip


def _week(prefix):
    return {name.replace("hours-", f"{prefix}-hours-", 1): value for name, value in _HOURS.items()}


def _newcomer(side):
    return {
        "full_name": "Kim", "credentials": "DC", "email": "kim@example.org", "starts_on": make.MONDAY,
        "clinic-1-location": side.place.slug, **_week("clinic-1"), "clinic-2-location": "",
        "clinic-2-hours-TOTAL_FORMS": 0, "clinic-2-hours-INITIAL_FORMS": 0,
    }  # fmt: skip


_TYPE = {
    "name": "Massage", "minutes": 30, "least_minutes": 30, "most_minutes": 30, "room_kind": "adjusting",
    "buffer_before": 0, "buffer_after": 0, "step_minutes": 15, "notice_minutes": 0, "horizon_days": 90,
    "late_cancel_hours": 24,
}  # fmt: skip
_SPARE_TYPE = {**_TYPE, "slug": "spare", "name": "Spare"}  # nothing was ever booked for it


def _ahead(days):
    return make.MONDAY + timedelta(days)


def _choice(side, days):
    """A time of a proposal as its page sends it."""
    return f"{make.at(10, day=_ahead(days), zone=side.place.time_zone).isoformat()}|{side.chiro.pk}"


def _slot(side, hour=11):
    return make.at(hour, zone=side.place.time_zone).isoformat()


def _free(side):
    """A free time as the pages of the waitlist send it."""
    return f"{_slot(side, 15)}|{side.place.slug}|{side.chiro.pk}"


def _waits(side):
    """An entry of the patient that has no offer yet."""
    with mock.patch.dict(access.TABLE, TABLE):
        kind = AppointmentType.objects.get(slug="evaluation")
        found = WaitlistEntry.objects.filter(patient=side.patient, type=kind).first()
        return found or waitlist.add(side.patient, waitlist.Asked(kind, [side.place]), by=side.chiro.user)


def _where(side):
    return {"starts_at": _slot(side, 15), "practitioner": side.chiro.pk, "location": side.place.slug}


def _offer_is_over(side):
    offers.take_back(side.offer, by=side.chiro.user)


def _address_fails(side):
    undeliverable.flag(side.patient.email, kind="bounced", reason="550 5.1.1 No such user")


def _pattern(side):
    return {
        "patient": side.patient.pk, "type": side.type.slug, "location": side.place.slug,
        "practitioner": side.chiro.pk, "starts_on": f"{_ahead(21)}", "weekdays": [0], "at_time": "10:00",
        "stretches": [{"visits_per_week": 1, "weeks": 1}],
    }  # fmt: skip


def _chosen(side, days):
    starts_at = make.at(10, day=_ahead(days), zone=side.place.time_zone)
    return {"starts_at": starts_at.isoformat(), "practitioner": side.chiro.pk}


def _elsewhere(side):
    return {"appointment": side.member.pk, "scope": "all", "day": f"{_ahead(8)}", "at_time": "10:00"}


_MORE = {"text": "Seen again.", "reason": "Asked by the patient."}
_RESOLUTION = {
    "resolution": "cleared_external", "rationale": "Seen by the emergency department and sent home.",
    "detail.name": "Dr. Example", "detail.date": "2026-05-01", "detail.document": "Letter",
}  # fmt: skip

_INTAKE_ROWS = {
    f"{name}-{count}_FORMS": n
    for name in ("preventive_medications", "prior_care", "imaging_history")
    for count, n in (("TOTAL", 0), ("INITIAL", 0))
}

# By method and address; what a GET needs goes into the query.
GOOD: dict[str, Good] = {
    "GET api/v1/availability/": Good(lambda side: {"type": side.type.slug, "from": make.MONDAY, "to": make.MONDAY}),
    "POST mail-events/{service}/": Good(changes=False),
    "POST book/time/": Good(public.form, public.is_offered),
    "POST book/check/": Good(lambda side: {"now": ["none"]}, changes=False),
    "POST book/confirm/{token}/": Good(lambda side: {"step": "book"}),
    "POST setup/practitioners/{pk}/online/": Good(lambda side: {"is_offered": "yes"}),
    "POST welcome/{token}/": Good(lambda side: dict.fromkeys(("password", "again"), "correct horse battery")),
    "POST locations/choose/": Good(lambda side: {"location": side.place.slug}, changes=False),
    "POST locations/show/": Good(lambda side: {"location": [side.place.slug]}, changes=False),
    "POST setup/clinics/new/": Good(lambda side: {**_clinic(side), "name": "Macon"}),
    "POST setup/clinics/{slug}/details/": Good(lambda side: _clinic(side)),
    "POST setup/clinics/{slug}/hours/": Good(lambda side: _HOURS),
    "POST setup/clinics/{slug}/ways/": Good(lambda side: {f"to-{side.spare.slug}-minutes": 20}),
    "POST setup/ways/": Good(lambda side: {f"{side.place.slug}-{side.spare.slug}-minutes": 20}),
    "POST setup/clinics/{slug}/rooms/": Good(lambda side: {"room-name": "Quiet room", "room-kind": "adjusting"}),
    "POST setup/clinics/{slug}/state/": Good(lambda side: {"do": "open"}, _clinic_is_closed),
    "POST setup/clinics/{slug}/delete/": Good(),
    "POST setup/rooms/{pk}/": Good(lambda side: {f"room-{_room(side).pk}-name": "Quiet room",
                                                 f"room-{_room(side).pk}-kind": _room(side).kind}),
    "POST setup/practitioners/new/": Good(_newcomer),
    "POST setup/practitioners/{pk}/hours/{slug}/": Good(
        lambda side: {f"{side.place.slug}-from_day": make.MONDAY, f"{side.place.slug}-until": "2027-06-30",
                      f"{side.place.slug}-replacing": "2027-06-07", **_week(side.place.slug)}
    ),
    "POST setup/practitioners/{pk}/extra/": Good(
        lambda side: {"extra-location": side.place.slug, "extra-day": make.MONDAY, "extra-starts": "19:00",
                      "extra-ends": "20:00"}
    ),
    "POST setup/practitioners/{pk}/away/": Good(lambda side: {"away-starts_on": make.MONDAY, "agreed": side.offer.pk}),
    "POST setup/hours/{kind}/{pk}/take-back/": Good(),
    "POST setup/clinics/{slug}/zone/": Good(
        lambda side: {"time_zone": "America/Denver", "reason": "Entered wrongly"}, _holds_are_over
    ),
    "POST setup/types/new/": Good(lambda side: _TYPE),
    "POST setup/types/{slug}/": Good(lambda side: _TYPE),
    "POST setup/types/{slug}/delete/": Good(),
    "POST setup/mails/hours/": Good(lambda side: {"quiet_from": "21:00", "quiet_until": "07:00"}),
    "POST setup/mails/steps/": Good(lambda side: {"type": side.type.slug, "hours_0": 24}),
    "POST setup/mails/rules/": Good(lambda side: {f"{one.name}-number": one.number for one in mail_rules.kinds()}),
    "POST api/v1/reminder-steps/": Good(lambda side: {"location": side.place.slug, "steps": [{"hours_before": 24}]}),
    "POST setup/closures/": Good(
        lambda side: {"where": "some", "locations": [side.place.slug], "starts_on": make.MONDAY,
                      "ends_on": make.MONDAY, "reason": "Painting", "agreed": side.offer.pk}
    ),
    "POST setup/closures/{pk}/take-back/": Good(),
    "POST setup/people/new/": Good(
        lambda side: {"full_name": "Kim", "email": "kim@example.org", "role": "desk", "locations": [side.place.slug]}
    ),
    "POST setup/people/{pk}/roles/": Good(lambda side: {"role": "clinician", "locations": [side.place.slug]}),
    "POST setup/people/{pk}/state/": Good(lambda side: {"do": "disable"}),
    "POST setup/people/{pk}/invite-again/": Good(),
    "POST setup/roles/{pk}/take/": Good(),
    "POST patients/new/": Good(lambda side: {**_new_patient(side), "sex": "unknown", "home_location": side.place.pk}),
    "POST patients/{pk}/edit/": Good(
        lambda side: {**_new_patient(side), "sex": "unknown", "home_location": side.place.pk}
    ),
    "POST patients/{pk}/open/": Good(lambda side: {"reason": "covering", "words": "Covering for a colleague."}),
    "POST opened-charts/{pk}/review/": Good(lambda side: {"finding": "Covered that day, in order."}),
    "POST patients/{pk}/consent/": Good(lambda side: {"given": "yes"}),
    "POST appointments/new/": Good(
        lambda side: {
            "patient": side.patient.pk, "type": side.type.slug, "at": side.place.slug, "day": make.MONDAY,
            "time": "11:00", "practitioner_at": side.chiro.pk,
        }
    ),
    "POST appointments/{pk}/step/": Good(lambda side: {"step": "arrive", "seen": links.seen(side)}, _visit_begins()),
    "POST appointments/{pk}/move/": Good(
        lambda side: {"practitioner": side.chiro.pk, "day": make.MONDAY, "time": "11:00"}
    ),
    "POST appointments/{pk}/undo/": Good(
        lambda side: {"event": side.visit.history.order_by("pk").last().pk}, _visit_was_confirmed
    ),
    "POST waitlist/new/": Good(
        lambda side: {"patient": side.patient.pk, "type": "evaluation", "urgency": 1, "weekdays": ["0"]}
    ),
    "POST waitlist/{pk}/edit/": Good(lambda side: {"type": side.type.slug, "urgency": 2}),
    "POST waitlist/{pk}/take-off/": Good(lambda side: {"reason": "Moves away."}),
    "POST waitlist/{pk}/offer/": Good(lambda side: {"slot": _free(side), "entries": [_waits(side).pk], "offer": "yes"}),
    "POST offers/{pk}/answer/": Good(lambda side: {"step": "accept"}),
    "POST follow-ups/": Good(lambda side: {"about": "unconfirmed", "visit": side.visit.pk, "result": "no_answer"}),
    "POST visit-notes/start/": Good(lambda side: {"appointment": side.visit.pk}, _visit_is_today),
    "POST visit-notes/{pk}/": Good(lambda side: {"version": side.note.version, "content.pain": "3"}),
    "POST visit-notes/{pk}/sign/": Good(lambda side: {"version": side.note.version}),
    "POST visit-notes/{pk}/addenda/": Good(lambda side: _MORE),
    "POST incidents/{pk}/": Good(lambda side: {"step": "remark", "text": "Called the patient."}),
    "POST evaluations/start/": Good(lambda side: {"patient": side.patient.pk}),
    "POST evaluations/{pk}/": Good(lambda side: {"version": side.draft.version, "heart_rate[]status": "assessed",
                                                 "heart_rate[]value": "71"}),
    "POST evaluations/{pk}/intake/": Good(lambda side: {"version": "0", "lifetime_attacks": "5", **_INTAKE_ROWS}),
    "POST evaluations/{pk}/red-flags/": Good(lambda side: {"version": side.draft.version, "rf_systemic": "yes"}),
    "POST evaluations/{pk}/sign/": Good(lambda side: {"version": side.draft.version}),
    "POST evaluations/{pk}/stop/": Good(),
    "POST evaluations/{pk}/defer/": Good(before=_flag_is_open),
    "POST evaluations/{pk}/addenda/": Good(lambda side: _MORE),
    "POST evaluations/{pk}/entered-in-error/": Good(
        lambda side: {"reason": "Another patient's.", "confirmed": "yes", "version": side.draft.version}
    ),
    "POST red-flags/{pk}/resolve/": Good(lambda side: _RESOLUTION),
    "POST setup/plan-templates/new/": Good(lambda side: a_template.form()),
    "POST setup/plan-templates/{pk}/": Good(lambda side: {**a_template.form(), "version": 1}),
    "POST setup/plan-templates/{pk}/state/": Good(lambda side: {"do": "put_away"}),
    "POST moves/": Good(
        lambda side: {
            "practitioner": side.chiro.pk, "location": side.place.slug, "first": make.MONDAY, "which": "all",
            "to": "same", f"visit-{side.visit.pk}": _choice(side, 8), "reason": "Ill",
            f"seen-{side.visit.pk}": side.visit.sequence,
        }
    ),
    "POST series/new/": Good(
        lambda side: {
            "patient": side.patient.pk, "type": side.type.slug, "location": side.place.slug,
            "practitioner": side.chiro.pk, "starts_on": _ahead(21), "weekdays": ["0"], "at_time": "10:00",
            "per_week_1": 1, "weeks_1": 1, "visit-1": _choice(side, 21),
        }
    ),
    "POST series/{pk}/place/": Good(
        lambda side: {"weekdays": ["0", "2"], "at_time": "10:00", "visit-2": _choice(side, 9)}
    ),
    "POST series/{pk}/rearrange/": Good(lambda side: {"visit-2": _choice(side, 9), "seen-2": ""}),
    "POST series/{pk}/waive/": Good(lambda side: {"visit": 2, "reason": "Feels well."}),
    "POST appointments/{pk}/series-move/": Good(
        lambda side: {"scope": "all", "day": _ahead(8), "time": "10:00", f"visit-{side.member.pk}": _choice(side, 8),
                      f"seen-{side.member.pk}": side.member.sequence}
    ),
    "POST appointments/{pk}/series-cancel/": Good(
        lambda side: {"scope": "later", "still_wanted": "no", "reason": "Moves away."}
    ),
    "POST messages/{pk}/try-again/": Good(),
    "POST my/plan/{token}/": Good(
        lambda side: {"step": "agree", **signing.SIGNATURE, "born_on": "1991-11-14",
                      "plan_digest": side.plan.versions.get().digest}
    ),
    "POST care-plans/{pk}/send-link/": Good(before=lambda side: signing.may_be_written_to(side.patient)),
    "POST messages/addresses/{pk}/mend/": Good(before=_address_fails),
    "POST my/offers/{token}/": Good(lambda side: {"step": "accept"}),
    "POST appointments/{pk}/send-intake/": Good(before=lambda side: signing.may_be_written_to(side.patient)),
    "POST my/intake/{token}/": Good(lambda side: {"born_on": links.born(side)}, changes=False),
    "POST my/intake/{token}/{code}/": Good(changes=False),  # without the birth date it leads to where that is asked
    "POST messages/patient/{pk}/resume/": Good(lambda side: {"topic": "reminders", "reason": "Asked."}, links.stopped),
    "POST calendar/patient-feed/": Good(),
    "POST setup/practitioners/{pk}/calendar/": Good(),
    "POST my/visits/{token}/subscribe/": Good(lambda side: {"born_on": links.born(side)}),
    "POST my/visits/{token}/move/": Good(lambda side: links.moved(side, _slot(side))),
    "POST my/visits/{token}/": Good(lambda side: {"step": "confirm", "seen": links.seen(side)}),
    "POST my/unsubscribe/{token}/": Good(),
    "POST api/v1/patients/": Good(lambda side: {**_new_patient(side), "home_location": side.place.slug}),
    "POST api/v1/appointments/": Good(
        lambda side: {
            "patient": side.patient.pk, "practitioner": side.chiro.pk, "location": side.place.slug,
            "type": side.type.slug, "starts_at": _slot(side),
        }
    ),
    "POST api/v1/appointments/{pk}/reschedule/": Good(lambda side: {"starts_at": _slot(side)}),
    "POST api/v1/appointments/{pk}/undo/": Good(before=_visit_was_confirmed),
    "POST api/v1/appointments/{pk}/arrive/": Good(before=_visit_begins()),
    "POST api/v1/appointments/{pk}/confirm/": Good(),
    "POST api/v1/appointments/{pk}/cancel/": Good(),
    "POST api/v1/appointments/{pk}/start/": Good(before=_visit_begins("arrived")),
    "POST api/v1/appointments/{pk}/complete/": Good(before=_visit_begins("in_room")),
    "POST api/v1/appointments/{pk}/no-show/": Good(before=_visit_begins()),
    "PUT api/v1/locations/{slug}/hours/": Good(
        lambda side: {"hours": [{"weekday": 0, "opens": "07:00", "closes": "19:00"}]}
    ),
    "POST api/v1/locations/{slug}/delete/": Good(),
    "POST api/v1/rooms/{pk}/open/": Good(before=lambda side: side.place.rooms.update(is_open=False)),
    "POST api/v1/rooms/{pk}/close/": Good(),
    "POST api/v1/closures/": Good(
        lambda side: {"reason": "Painting", "starts_on": f"{make.MONDAY}", "locations": [side.place.slug],
                      "confirm": True}
    ),
    "POST api/v1/closures/{pk}/take-back/": Good(),
    "POST api/v1/working-hours/": Good(
        lambda side: {"practitioner": side.chiro.pk, "location": side.place.slug, "from_day": f"{make.MONDAY}",
                      "until": "2027-06-30", "replace_later": True, "hours": [], "confirm": True}
    ),
    "POST api/v1/visit-moves/": Good(
        lambda side: {
            "moves": [{"appointment": side.visit.pk, "sequence": 0, "starts_at": _slot(side),
                       "practitioner": side.chiro.pk}],
            "reason": "Ill",
        }
    ),
    "POST api/v1/visit-moves/preview/": Good(
        lambda side: {"location": [side.place.slug], "practitioner": side.chiro.pk, "first": f"{make.MONDAY}",
                      "last": f"{make.MONDAY}"},
        changes=False,
    ),
    "POST api/v1/waitlist/": Good(lambda side: {"patient": side.patient.pk, "type": "evaluation"}),
    "PATCH api/v1/waitlist/{pk}/": Good(lambda side: {"urgency": "urgent"}),
    "POST api/v1/waitlist/{pk}/offers/": Good(_where),
    "POST api/v1/waitlist/{pk}/book/": Good(_where, _offer_is_over),
    "POST api/v1/waitlist/{pk}/take-off/": Good(),
    "POST api/v1/offers/{pk}/accept/": Good(),
    "POST api/v1/offers/{pk}/decline/": Good(),
    "POST api/v1/offers/{pk}/take-back/": Good(),
    "POST api/v1/series/propose/": Good(lambda side: _pattern(side), changes=False),
    "POST api/v1/series/": Good(
        lambda side: {**_pattern(side), "visits": [{"number": 1, **_chosen(side, 21)}]}
    ),
    "POST api/v1/series/{pk}/propose-owed/": Good(changes=False),
    "POST api/v1/series/{pk}/place/": Good(lambda side: {"visits": [{"number": 2, **_chosen(side, 9)}]}),
    "POST api/v1/series/{pk}/propose-rest/": Good(changes=False),
    "POST api/v1/series/{pk}/rearrange/": Good(lambda side: {"visits": [{"number": 2, **_chosen(side, 9)}]}),
    "POST api/v1/series/{pk}/waive/": Good(lambda side: {"number": 2, "reason": "Feels well."}),
    "POST api/v1/series/{pk}/propose-move/": Good(lambda side: _elsewhere(side), changes=False),
    "POST api/v1/series/{pk}/move/": Good(lambda side: _elsewhere(side)),
    "POST api/v1/series/{pk}/cancel/": Good(
        lambda side: {"appointment": side.member.pk, "scope": "this_and_later", "reason": "Moves away."}
    ),
    "POST api/v1/evaluations/": Good(lambda side: {"patient": side.patient.pk}),
    "PATCH api/v1/evaluations/{pk}/": Good(
        lambda side: {"version": side.draft.version, "findings": [{"code": "heart_rate", "value": 71}]}
    ),
    "PUT api/v1/evaluations/{pk}/intake/": Good(lambda side: {"version": 0, "answers": {"lifetime_attacks": 5}}),
    "POST api/v1/evaluations/{pk}/sign/": Good(),
    "POST api/v1/evaluations/{pk}/addenda/": Good(lambda side: _MORE),
    "POST api/v1/evaluations/{pk}/entered-in-error/": Good(
        lambda side: {"reason": "Another patient's.", "confirmed": True, "version": side.draft.version}
    ),
    "POST api/v1/visit-notes/": Good(lambda side: {"appointment": side.visit.pk}, _visit_is_today),
    "PATCH api/v1/visit-notes/{pk}/": Good(lambda side: {"version": side.note.version, "content": {"pain": 3}}),
    "POST api/v1/visit-notes/{pk}/sign/": Good(),
    "POST api/v1/visit-notes/{pk}/addenda/": Good(lambda side: _MORE),
    "POST api/v1/incidents/{pk}/steps/": Good(lambda side: {"step": "remark", "text": "Called the patient."}),
    "POST api/v1/plan-templates/": Good(lambda side: {**a_template.SKETCH, "name": "Another"}),
    "PUT api/v1/plan-templates/{pk}/": Good(lambda side: {**a_template.SKETCH, "note": "Anew.", "version": 1}),
    "POST api/v1/plan-templates/{pk}/offer/": Good(lambda side: {"is_offered": False}),
    "GET api/v1/plan-templates/{pk}/proposal/": Good(lambda side: {"evaluation": side.signed.pk}),
    **{name: Good(*given) for name, given in [*plans.POSTS.items(), *mails.POSTS.items()]},
}  # fmt: skip


def about(address: Address) -> Callable[[Side], tuple] | None:
    """What gives the parameters of the address; None where nobody said."""
    template = address.template.removeprefix(API)
    known = max((start for start in ABOUT if template.startswith(start)), key=len, default=None)
    return ABOUT.get(known)


def path(address: Address, side: Side) -> str:
    """The address of the thing of that side."""
    find = about(address)
    found = address.path(*(find(side) if address.parameters else ()))
    query = ASKED.get(address.template, lambda side: {})(side)
    return f"{found}?{urlencode(query)}" if query else found
