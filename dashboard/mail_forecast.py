"""What will be mailed until the end of tomorrow as things stand now, and what stands in the way. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appointments.mails import letters
from clinic import mail_kinds, outbox, times
from clinic.models import Message, User
from patients.mail_choices import Topic
from patients.models import Patient


@dataclass(frozen=True)
class Line:
    """`why_not` is empty where the mail will go out if nothing changes."""

    patient: Patient
    due_at: datetime
    zone: str
    what: str
    count: int
    why_not: str


def until_tomorrow(user: User) -> list[Line]:
    """In order of time; only mails to patients whom the user may see."""
    now = times.now()
    found = outbox.upcoming(now + timedelta(days=2))
    people = Patient.objects.visible_to(user, "message.read").filter(pk__in={one.patient_id for one in found})
    people = {one.pk: one for one in people.select_related("home_location")}
    ends = {zone: times.day_bounds(times.day_of(now, zone) + timedelta(days=1), zone)[1] for zone in _zones(people)}
    rows = [one for one in found if one.patient_id in people]
    rows = [one for one in rows if one.due_at < ends[people[one.patient_id].home_location.time_zone]]
    why_not = _obstacles(rows, people)
    return [
        Line(
            people[one.patient_id], one.due_at, people[one.patient_id].home_location.time_zone, outbox.why(one),
            len(one.detail.get("news", [])) or 1, why_not[_topic(one)][one.patient_id],
        )
        for one in sorted(rows, key=lambda one: (one.due_at, one.patient_id))
    ]  # fmt: skip


def _zones(people) -> set[str]:
    return {one.home_location.time_zone for one in people.values()}


def _topic(message: Message) -> Topic:
    return mail_kinds.topic_of(message.kind) or Topic.NOTICES


def _obstacles(rows, people) -> dict[Topic, dict[int, str]]:
    topics = {_topic(one) for one in rows}
    return {topic: letters.unreachable_among(list(people.values()), topic) for topic in topics}
