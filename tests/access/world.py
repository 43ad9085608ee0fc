"""Two clinics that know nothing of each other, each with one of everything, and everybody who may come to look.

Every text of a side holds a word found nowhere else (a canary): whoever sees the word saw the text.
"""

from copy import deepcopy
from dataclasses import dataclass
from datetime import time as clock
from datetime import timedelta

from django.test import Client

from appointments import booking
from appointments.availability import Slot
from appointments.models import Appointment, AppointmentType, Offer, Series
from appointments.recurring import series
from appointments.recurring.patterns import Pattern, Stretch
from appointments.recurring.proposals import Choice
from appointments.waiting import offers, waitlist
from careplans import planning
from careplans.models import CarePlan
from clinic import times, tokens
from clinic.models import Heartbeat, Message, User
from evaluations import catalogue, recording, signing
from evaluations.models import Evaluation, Incident, RedFlagEvent, VisitNote
from evaluations.notes import note_fields, note_signing, visit_notes
from evaluations.safety import red_flags
from locations import access, staffing
from locations.models import Location, Practitioner
from patients import registering
from patients.models import ChartOpening, Patient
from tests import make

HERE, ELSEWHERE, GROUP, NOWHERE, ANONYMOUS = "here", "elsewhere", "group", "nowhere", "anonymous"
ROLES = [access.OWNER, access.MANAGER, access.CLINICIAN, access.DESK, access.AUDITOR]
NO_SUCH_ID = 987_654_321

# The table as it stands, so that a test can change it under the code and see that the answers are noticed.
TABLE = deepcopy(access.TABLE)
# What may be seen with which rows of the table, held at the place of the thing.
SEEN_WITH = {
    "place": {"location.read"},
    "colleague": {"user.read"},
    "person": {"patient.search", "patient.read", "appointment.read"},
    "mailbox": {"patient.search", "patient.read", "message.read"},
    "reason": {"appointment.read"},
    "subject": {"message.read"},
    "said": {"patient.read"},
    "finding": {"evaluation.read"},
    "plan": {"careplan.read"},
    "incident": {"incident.read", "evaluation.read"},
    "closed": set(),  # in the chart of a patient whom nobody treats any more
}


def word(side: str, kind: str) -> str:
    return f"Canary{side.title()}{kind.title()}"


@dataclass(repr=False)
class Side:
    """One clinic: `draft` and `signed` are evaluations, `plan` a draft written from the signed one.

    `lapsed` was a patient two years ago, and somebody opened that chart today with a reason;
    `newcomer` is of the desk and has no password yet, `spare` a clinic where nothing has happened and nobody works;
    `event` is an open red flag of another patient of the same name: it would stand in the way of the plan.
    """

    name: str
    place: Location
    chiro: Practitioner
    patient: Patient
    visit: Appointment
    draft: Evaluation
    signed: Evaluation
    plan: CarePlan
    note: VisitNote  # a draft that lacks nothing
    signed_note: VisitNote
    incident: Incident
    event: RedFlagEvent
    message: Message
    offer: Offer
    type: AppointmentType
    series: Series
    member: Appointment  # the visit of the series that is placed; the second is owed
    newcomer: User
    spare: Location
    lapsed: Patient
    opening: ChartOpening
    links: dict[str, str]


@dataclass
class Principal:
    """Somebody who comes to look: a role held `here`, `elsewhere` (there), for the group, or none."""

    role: str
    held: str
    user: User | None
    client: Client

    def __str__(self):
        return f"{self.role} {self.held}".strip()

    def cell(self, action: str) -> str | None:
        return TABLE[action].get(self.role)

    def reaches(self, action: str, side: str) -> bool:
        """Whether the table gives this person the action at the place of that side; to all what is for all."""
        if action not in TABLE:
            return True
        at = {HERE: "here", ELSEWHERE: "there"}.get(self.held, side)
        return self.cell(action) == access.ALL or (self.cell(action) is not None and at == side)

    def may_see(self, side: str) -> set[str]:
        """The kinds of canaries of that side which this person may come across."""
        return {kind for kind, rows in SEEN_WITH.items() if any(self.reaches(row, side) for row in rows)}


@dataclass(repr=False)
class World:
    here: Side
    there: Side
    principals: list[Principal]

    def principal(self, role: str, held: str = HERE) -> Principal:
        return next(p for p in self.principals if (p.role, p.held) == (role, held))


def build() -> World:
    adjustment, evaluation = make.appointment_type(), make.evaluation_type()
    for name in ("beat", "worker"):
        Heartbeat.objects.create(name=name, at=times.now())
    here = _side("here", make.location("atlanta"), adjustment, evaluation)
    there = _side("there", make.location("nashville", "America/Chicago"), adjustment, evaluation)
    return World(here, there, [*_principals(here, there), Principal("", ANONYMOUS, None, Client())])


def _examined(patient, place, by, **said):
    evaluation = recording.start(patient=patient, location=place, by=by)
    recording.save(evaluation, version=0, by=by, **said)
    return evaluation


def _side(name, place, adjustment, evaluation) -> Side:
    place.parking = word(name, "place")
    place.save()
    far = make.MONDAY + timedelta(200)
    place.closures.create(starts_on=far, ends_on=far, reason=word(name, "place"))
    chiro = make.practitioner(place, name=word(name, "colleague"))
    by = chiro.user
    chiro.time_off.create(starts_at=make.at(9, day=far), ends_at=make.at(10, day=far), reason=word(name, "colleague"))
    patient = _patient(name, place)
    visit = booking.book(patient=patient, practitioner=chiro, location=place, type=adjustment, by=by,
                         starts_at=make.at(10, zone=place.time_zone))  # fmt: skip
    visit.history.update(reason=word(name, "reason"))
    finding, no = word(name, "finding"), dict.fromkeys(catalogue.RED_FLAGS, "no")
    said = {"findings": [{"code": "heart_rate", "value": 70, "note": finding}], "conclusion": finding}
    signed, draft = (_examined(patient, place, by, answers=no, **said) for _ in range(2))
    signing.sign(signed, by=by)
    signing.add(signed, text=finding, reason=finding, by=by)
    flagged = _patient(name, place)
    red_flags.answer(patient=flagged, evaluation=None, answers={"rf_thunderclap": "yes"}, by=by)
    newcomer = make.user(access.DESK, place)
    newcomer.set_unusable_password()
    newcomer.save()
    spare = Location.objects.create(slug=f"{name}-spare", name=f"{name.title()} spare", time_zone=place.time_zone)
    plan = planning.draft(evaluation=signed, by=by, practitioner=chiro, location=place, **plan_of(place, name))
    offer = _offer(name, patient, place, chiro, adjustment)
    several = _series(patient, place, chiro, adjustment)
    member = Appointment.objects.get(series_visit__series=several)
    return Side(
        name, place, chiro, patient, visit, draft, signed, plan, *_notes(name, visit, member, by),
        red_flags.open_events(flagged)[0],
        _message(name, patient), offer, adjustment,
        several, member, newcomer, spare, *_lapsed(name, place, chiro),
        _links(visit, patient, newcomer, offer, plan),
    )  # fmt: skip


def _patient(name, place) -> Patient:
    person = word(name, "person")
    patient = make.patient(
        place, given=person, family="Sample", email=f"{word(name, 'mailbox').lower()}@example.org",
        street=f"1 {person} Street", city=person, note=person,
    )  # fmt: skip
    registering.index_all([patient])
    return patient


def _notes(name, visit, member, by) -> tuple[VisitNote, VisitNote, Incident]:
    """Of visits that lie ahead, as if they had been; the signed one tells of a serious reaction."""
    said = {
        "safety": dict.fromkeys(note_fields.SAFETY, "no"), "complaint": word(name, "finding"), "not_adjusted": True,
        "not_adjusted_reason": word(name, "finding"), "reaction": "none",
    }  # fmt: skip
    serious = {"reaction": "serious"} | dict.fromkeys(note_signing.OF_A_REACTION, word(name, "incident"))
    notes = []
    for one, content in ((visit, said), (member, said | serious)):
        note = VisitNote.objects.create(
            patient=one.patient, appointment=one, location=one.location, started_by=by, started_at=times.now()
        )
        visit_notes.save(note, content=content, version=0, by=by)
        notes.append(note)
    note_signing.sign(notes[1], by=by)
    return *notes, notes[1].incident


def _offer(name, patient, place, chiro, type) -> Offer:
    """A time held for the patient, who waits for a second visit."""
    starts_at = make.at(14, zone=place.time_zone)
    asked = waitlist.Asked(type, [place], note=word(name, "reason"))
    entry = waitlist.add(patient, asked, by=chiro.user)
    slot = Slot(starts_at, starts_at + timedelta(minutes=type.minutes), place, chiro)
    return offers.make([entry], slot, minutes=60, by=chiro.user)[0]


def _series(patient, place, chiro, type) -> Series:
    """Two visits in the second week, the first of them placed."""
    monday = make.MONDAY + timedelta(7)
    begun = series.begin(
        patient=patient, type=type, practitioner=chiro, location=place, by=chiro.user,
        pattern=Pattern(monday, (Stretch(2, 1),), (0, 2), clock(10)),
    )  # fmt: skip
    first = Choice(make.at(10, day=monday, zone=place.time_zone), chiro)
    series.place(begun, {1: first, 2: Choice(skip_reason="Away")}, by=chiro.user)
    return begun


def plan_of(place, name) -> dict:
    return {
        "starts_on": make.MONDAY,
        "phases": [{"kind": "relief", "visits_per_week": 2, "weeks": 2}],
        "goals": [{"metric": "migraine_days_28", "baseline": 10, "target": 5, "due_on": make.MONDAY + timedelta(40)}],
        "interventions": [],
        "reevaluate_by": make.MONDAY + timedelta(days=20),
        "note": word(name, "plan"),
    }


def _lapsed(name, place, chiro) -> tuple[Patient, ChartOpening]:
    then, now = times.now() - timedelta(800), times.now()
    patient = _patient(name, place)
    Patient.objects.filter(pk=patient.pk).update(created_at=then)
    mine = {"patient": patient, "location": place}
    closed = word(name, "closed")
    evaluation = Evaluation.objects.create(**mine, started_by=chiro.user, started_at=then, conclusion=closed)
    plan = CarePlan.objects.create(
        **mine, evaluation=evaluation, practitioner=chiro, status="discontinued", starts_on=then, note=closed,
        created_by=chiro.user, created_at=then,
    )  # fmt: skip
    plan.phases.create(order=1, kind="relief", visits_per_week=1, weeks=1)
    opening = ChartOpening.objects.create(
        patient=patient, by=make.user(access.CLINICIAN, place), at=now - timedelta(hours=2),
        until=now - timedelta(hours=1), reason="covering", words="Covering for a colleague.",
    )  # fmt: skip
    return patient, opening


def _links(visit, patient, newcomer, offer, plan) -> dict[str, str]:
    """Tokens as mails carry them."""
    about = {
        "visit": ("visit", visit),
        "intake": ("intake", visit),
        "feed": ("feed:patient", patient),
        "stop": ("unsubscribe", patient),
        "welcome": (staffing.PURPOSE, newcomer),
        "offer": ("offer", offer),
        "plan": ("care-plan", plan),
    }
    return {
        name: tokens.issue_link(purpose=purpose, on=on, expires_at=visit.ends_at)
        for name, (purpose, on) in about.items()
    }


def _message(name, patient) -> Message:
    now = times.now()
    return Message.objects.create(
        key=f"visit-booked:{name}", kind="visit-booked", patient_id=patient.pk, to=patient.email, status="failed",
        message_id=f"<{name}@example.org>", subject=word(name, "subject"), text=word(name, "said"), due_at=now,
        try_after=now, useless_after=now + timedelta(days=1),
    )  # fmt: skip


def _principals(here, there):
    for role in ROLES:
        for held, places in ((HERE, [here.place]), (ELSEWHERE, [there.place]), (GROUP, [])):
            if role == access.CLINICIAN:
                user = {HERE: here.chiro.user, ELSEWHERE: there.chiro.user}.get(held) or _group_clinician()
            else:
                user = make.user(role, *places)
            yield _signed_in(role, held, user)
    yield _signed_in("", NOWHERE, User.objects.create_user("nobody@example.org", "demo-clinic", full_name="No Body"))


def _group_clinician():
    user = make.user(access.CLINICIAN)
    Practitioner.objects.create(user=user)
    return user


def _signed_in(role, held, user) -> Principal:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    session = client.session  # as if the password had just been asked again
    session["account_authentication_methods"] = [
        {"method": "password", "at": times.now().timestamp(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return Principal(role, held, user, client)
