"""Every kind of mail that Atlas sends: opening its links changes nothing, and its first words say nothing of health.

A kind that is new fails here until it is written below.
"""

import re
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail as post
from django.db import transaction
from django.test import Client
from django.utils import translation

from appointments.mails import letters
from appointments.models import Appointment, BookingRequest
from careplans import reminders as plan_mails
from careplans.models import CarePlan, PlanEvent
from clinic import mail_kinds, times
from clinic.mail_kinds import Mail
from clinic.models import AuditEntry, Message
from evaluations.intake import self_intake
from evaluations.models import IntakeAsk
from locations import access
from locations.models import Invitation, StaffAssignment
from patients.mail_choices import Topic
from patients.models import Intake, Patient
from tests import signing
from tests.access import public, world
from tests.access.addresses import nothing_stays

LINK = re.compile(r"https?://[^\s\"'<>]+")
# Beginnings of words, in English and in Spanish. They are looked for at the beginning of words.
HEALTH = (
    "headache|migrain|neck|spin|cervic|pain|adjust|evaluat|re-evaluat|treat|therap|chiropr|symptom|diagnos|flag|disease|"
    "medic|plan|emergenc|dizz|care|"
    "dolor|cabeza|migra|cuello|column|vertebr|ajust|tratam|terap|quiropr|síntoma|diagn|enferm|emergenc"
)
SAYS_HEALTH = re.compile(rf"\b({HEALTH})", re.I)
TO_STAFF = {"chart-opened", "incident-opened", "red-flag-told", "staff-invitation"}  # signed in, they read more
READ_OVER_A_SHOULDER = 100  # letters of the text that phones show under the subject


def _about(thing, **detail):
    return {"about": thing._meta.label_lower, "about_id": thing.pk, "detail": detail}


def _notice(side, kind):
    last = side.visit.history.latest("pk").pk
    return {**_about(side.visit), "key": f"{kind}:{side.visit.pk}:notice:{last}"}


def _several(side, kind):
    told = [
        {"kind": "visit-booked", "visit": one.pk, "last": one.history.latest("pk").pk}
        for one in (side.visit, side.member)
    ]
    return _about(side.patient, news=told)


def _reminder(side, kind):
    visit = Appointment.objects.get(pk=side.visit.pk)
    return {**_about(visit, hours=48), "key": f"appointment:{visit.pk}:reminder-48h:{visit.start_minute}"}


def _missed(side, kind):
    Appointment.objects.filter(patient=side.patient).exclude(pk=side.visit.pk).update(status="cancelled")
    Appointment.objects.filter(pk=side.visit.pk).update(status="no_show")
    return _about(side.visit)


def _intake(side, kind):
    Intake.objects.filter(patient=side.patient).delete()
    return _about(side.visit)


def _intake_link(side, kind):
    return _about(IntakeAsk.objects.create(appointment=side.visit, by=side.chiro.user, asked_at=times.now()))


def _to_owner(name):
    return lambda side, kind: _about(getattr(side, name), user=_owner().pk)


def _owner():
    return StaffAssignment.objects.filter(role=access.OWNER).first().user


def _flag(side, kind):
    opened = self_intake.keep_part(side.visit, "now", answers={}, flags={"rf_diplopia": "yes"})
    return _about(opened[0], user=side.chiro.user_id)


def _invitation(side, kind):
    by = side.chiro.user
    return _about(Invitation.objects.create(user=side.newcomer, by=by, at=times.now()))


def _please_book(side, kind):
    CarePlan.objects.filter(pk=side.plan.pk).update(status="active")
    return _about(PlanEvent.objects.filter(plan=side.plan).latest("pk"))


def _asked_on_the_public_page(side, kind):
    public.link(side)
    return _about(BookingRequest.objects.get())


HOW = {
    "booking-asked": _asked_on_the_public_page,
    **dict.fromkeys(("visit-booked", "visit-moved", "visit-cancelled", "visit-restored"), _notice),
    "visits-changed": _several,
    "visit-reminder": _reminder,
    **dict.fromkeys(("waitlist-offer", "waitlist-taken"), lambda side, kind: _about(side.offer)),
    "missed-visit": _missed,
    "intake-request": _intake,
    "intake-link": _intake_link,
    "chart-opened": _to_owner("opening"),
    "incident-opened": _to_owner("incident"),
    "red-flag-told": _flag,
    "staff-invitation": _invitation,
    "plan-link": lambda side, kind: _about(PlanEvent.objects.filter(plan=side.plan).latest("pk")),
    "please-book": _please_book,
    **dict.fromkeys((kind.name for kind in plan_mails.ORDER), lambda side, kind: _about(side.plan)),
}


def written(side, kind) -> Mail:
    """The mail by the rule that decides of it; of plans the words alone, for which weeks would have to pass."""
    with transaction.atomic():
        if kind in {one.name for one in plan_mails.ORDER}:
            way_out = letters.way_out(side.patient, Topic.FOLLOW_UPS)
            with translation.override(Patient.objects.get(pk=side.patient.pk).language):
                return plan_mails.write(kind, side.plan.patient, side.plan.location, way_out)
        now = times.now()
        fields = {"key": f"{kind}:1", "patient_id": side.patient.pk, **HOW[kind](side, kind)}
        message = Message.objects.create(
            kind=kind, message_id=f"<{kind}@example.org>", due_at=now, try_after=now, useless_after=now, **fields
        )
        mail = mail_kinds.compose(message)
    assert isinstance(mail, Mail), f"{kind}: {mail}"
    return mail


def links_in(mail: Mail) -> set[str]:
    texts = (mail.text, mail.html.replace("&amp;", "&"), *mail.headers.values())
    ours = urlsplit(settings.BASE_URL).netloc
    return {url for text in texts for url in LINK.findall(text) if urlsplit(url).netloc == ours}


def everything() -> dict[str, list]:
    """Each row of each table, but sessions, and of the audit only what says of something else than reading."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy and model._meta.label != "sessions.Session":
            rows = model._base_manager.order_by("pk")
            if model is AuditEntry:
                rows = rows.exclude(action__endswith="read_by_link")
            found[model._meta.label] = list(rows.values())
    return found


@pytest.fixture
def side(db):
    here = world.build().here
    signing.may_be_written_to(here.patient)
    return here


def open_like_a_scanner(url):
    """As the mail programs and their guards do it: without cookies, by HEAD and by GET, following where it leads."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return [Client().head(path), Client().get(path, follow=True)]


def test_every_kind_is_looked_at():
    kinds = {kind for module in mail_kinds.modules() for kind in module.KINDS}

    assert kinds == set(HOW)


def test_opening_every_link_of_every_mail_changes_nothing(side):
    """Every table is compared as a whole, before and after."""
    opened = {}
    for kind in HOW:
        with nothing_stays():
            found = links_in(written(side, kind))
            before = everything()
            answers = {url: open_like_a_scanner(url) for url in found}
            assert everything() == before, kind
            codes = {answer.status_code for both in answers.values() for answer in both}
            assert codes <= {200, 302}, f"{kind}: {codes}"
            opened[kind] = len(found)

    assert [kind for kind, number in opened.items() if not number] == []
    assert opened["visit-booked"] == 3  # the visit, its calendar entry, the way out


def test_opening_the_link_to_a_new_password_changes_nothing(side, client):
    client.post("/accounts/password/reset/", {"email": side.chiro.user.email})
    (mail,) = post.outbox
    (url,) = LINK.findall(mail.body)
    before = everything()

    assert {answer.status_code for answer in open_like_a_scanner(url)} <= {200, 302}
    assert everything() == before


def test_a_link_that_acted_when_opened_would_be_noticed(side):
    before = everything()
    Appointment.objects.filter(pk=side.visit.pk).update(status="confirmed")

    assert everything() != before


@pytest.mark.parametrize("language", ["en", "es"])
def test_subject_and_first_words_say_nothing_about_health(side, language):
    Patient.objects.filter(pk=side.patient.pk).update(language=language)
    for kind in HOW:
        with nothing_stays():
            for again in ("plan", "patient"):
                getattr(side, again).refresh_from_db()
            mail = written(side, kind)
        shown = mail.subject if kind in TO_STAFF else f"{mail.subject}\n{mail.text[:READ_OVER_A_SHOULDER]}"
        assert not SAYS_HEALTH.search(shown), f"{kind}: {shown}"
        assert not re.search(rf"\b({side.patient.family_name}|{side.patient.given_name})\b", mail.subject)


def test_health_in_a_subject_would_be_noticed():
    for said in ("Your adjustment on Monday", "Care plan", "Su tratamiento del lunes", "Dolor de cabeza"):
        assert SAYS_HEALTH.search(said)
