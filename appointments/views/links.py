"""The page of a visit behind the links in mails, and the one that stops mails. GET changes nothing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from appointments import as_seen
from appointments.mails import calendar_file
from appointments.online import visit_links
from clinic import times, tokens
from clinic.errors import RuleBroken
from patients import languages, mail_choices, registering
from patients.link_pages import READ, BirthDateForm, behind_link, by_token, gone
from patients.mail_choices import Topic
from patients.models import Consent, Patient

TOPICS = {
    Topic.NOTICES: _("Mails when a visit is booked, moved or cancelled"),
    Topic.REMINDERS: _("Reminders before a visit"),
    Topic.OFFERS: _("Mails about free times"),
    Topic.FOLLOW_UPS: _("Mails about visits that were missed or are yet to be booked"),
}

PARTS_OF_DAY = {"mornings": _("Mornings"), "afternoons": _("Afternoons"), "evenings": _("Evenings")}


def seen_on(given) -> int | None:
    """The sequence of the visit on the page that is answered."""
    seen = given.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else None


def _again(request, token):
    """That it is cancelled, to a Cancel that was pressed twice; to all else the page that tells nothing."""
    form = BirthDateForm(request.POST) if request.POST.get("step") == "cancel" else None
    if form is None or not form.is_valid():
        return gone(request)
    cancelled = visit_links.cancelled_just_now(token, born_on=form.cleaned_data["born_on"])
    if cancelled is None:
        return gone(request)
    with languages.speaking(cancelled.patient):
        return _cancelled(request, cancelled)


@behind_link(visit_links.find, otherwise=_again)
def visit(request, token, link, appointment):
    if request.method != "POST":
        return _show(request, token, appointment)
    step = request.POST.get("step")
    if step == "cancel":
        return _cancel(request, token, link, appointment)
    if step not in {"confirm", "sooner", "not-sooner"}:
        return _show(request, token, appointment, status=400)
    seen = seen_on(request.POST)
    try:
        if step == "confirm":
            appointment = visit_links.confirm(appointment, seen=seen)
        elif step == "sooner":
            parts, anybody = request.POST.getlist("part"), "anybody" in request.POST
            visit_links.wait_for_sooner(appointment, seen=seen, parts=parts, anybody=anybody)
        else:
            visit_links.wait_no_longer(appointment, seen=seen)
    except RuleBroken as refused:
        return _refused(request, token, appointment, refused)
    return _show(request, token, appointment)


def _refused(request, token, appointment, refused, form=None):
    if refused.code == visit_links.BEGUN:
        return _show(request, token, appointment, status=400)
    return _changed(request, token, form) if refused.code == as_seen.CHANGED else _again(request, token)


def _changed(request, token, form=None):
    """Nothing was done, for the page showed another time: the visit as it stands now, to be answered anew."""
    found = visit_links.find(token)
    return _show(request, token, found[1], form, status=409) if found else gone(request)


@behind_link(visit_links.find, methods=READ)
def visit_calendar(request, token, link, appointment):
    answer = HttpResponse(calendar_file.render(appointment), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer


@by_token
def mails_stop(request, token):
    """Also what a mail program posts to by itself when somebody presses its own Unsubscribe (RFC 8058)."""
    link = tokens.find_link(token, purpose=mail_choices.PURPOSES)
    if link is None:
        return gone(request)
    patient = Patient.objects.get(pk=link.about_id)
    topic = mail_choices.PURPOSES[link.purpose]
    done = ""
    if request.method == "POST":
        done = "all" if topic is None or request.POST.get("stop") == "all" else "topic"
        _stop(patient, topic if done == "topic" else None)
    with languages.speaking(patient):
        context = {"done": done, "topic": TOPICS.get(topic, "")}
        return render(request, "appointments/links/stop.html", context)


def _stop(patient, topic):
    """One kind of mail, or every one; for all at an address who chose to get their mails together."""
    together = mail_choices.at_the_same_address(patient).filter(has_joint_mails=True)
    for person in together if patient.has_joint_mails else [patient]:
        if topic is None:
            registering.withdraw_consent(person, Consent.Scope.EMAIL_REMINDERS, by=None, by_whom="patient")
        else:
            mail_choices.stop(person, topic, by=None, by_whom="patient")


def _show(request, token, appointment, form=None, status=200):
    place = appointment.location
    content = {
        "token": token,
        "visit": appointment,
        "when": times.spoken(appointment.starts_at, place.time_zone),
        "is_confirmed": appointment.status == "confirmed",
        "is_ahead": visit_links.is_ahead(appointment),
        "is_late": visit_links.is_late(appointment),
        "late_hours": appointment.type.late_cancel_hours,
        "may_move": visit_links.may_move(appointment),
        "waits": visit_links.waits_for_sooner(appointment),
        "parts": PARTS_OF_DAY,
        "form": form or BirthDateForm(),
        "was_changed": status == 409,
    }
    return render(request, "appointments/links/visit.html", content, status=status)


def _cancel(request, token, link, appointment):
    form = BirthDateForm(request.POST)
    if not form.is_valid():
        return _show(request, token, appointment, form, status=400)
    try:
        visit_links.cancel(link, appointment, seen=seen_on(request.POST), born_on=form.cleaned_data["born_on"])
    except RuleBroken as refused:
        if "born_on" not in refused.fields:
            return _refused(request, token, appointment, refused, form)
        form.add_error("born_on", refused.message)
        return _show(request, token, appointment, form, status=400)
    return _cancelled(request, appointment)


def _cancelled(request, appointment):
    when = times.spoken(appointment.starts_at, appointment.location.time_zone)
    return render(request, "appointments/links/cancelled.html", {"visit": appointment, "when": when})
