"""Pages behind the links in mails. GET changes nothing: mail scanners open every link, some even run its scripts.

No CSRF token is asked: nothing here acts by a cookie. The secret in the address is the whole authority, and it is
withheld from other sites by `no-referrer`, under which browsers send `Origin: null`, which the CSRF check refuses.
"""

from functools import wraps

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from appointments import calendar_file, visit_links
from clinic import policy, times, tokens
from clinic.errors import RuleBroken
from clinic.policy import requires
from patients import registering
from patients.models import Consent, Patient


class BirthDateForm(forms.Form):
    born_on = forms.DateField(label="Your birth date", widget=forms.DateInput(attrs={"type": "date"}))


def unlisted(view):
    """The address is a secret: told to no other site, kept in no cache, found by no search engine."""

    @wraps(view)
    def guarded(request, token):
        answer = view(request, token)
        answer["Referrer-Policy"] = "no-referrer"
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return guarded


def gone(request):
    return render(request, "appointments/links/gone.html", status=410)


@csrf_exempt
@requires(policy.LINK)
@require_http_methods(["GET", "HEAD", "POST"])
@unlisted
def visit(request, token):
    found = visit_links.find(token)
    if found is None:
        return gone(request)
    link, appointment = found
    if request.method != "POST":
        return _show(request, token, appointment)
    if request.POST.get("step") == "cancel":
        return _cancel(request, token, link, appointment)
    if request.POST.get("step") != "confirm":
        return _show(request, token, appointment, status=400)
    try:
        appointment = visit_links.confirm(appointment)
    except RuleBroken:
        return gone(request)
    return _show(request, token, appointment)


@requires(policy.LINK)
@require_http_methods(["GET", "HEAD"])
@unlisted
def visit_calendar(request, token):
    found = visit_links.find(token)
    if found is None:
        return gone(request)
    answer = HttpResponse(calendar_file.render([found[1]]), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer


@csrf_exempt
@requires(policy.LINK)
@require_http_methods(["GET", "HEAD", "POST"])
@unlisted
def mails_stop(request, token):
    """Also what a mail program posts to by itself when somebody presses its own Unsubscribe (RFC 8058)."""
    link = tokens.find_link(token, purpose="unsubscribe")
    if link is None:
        return gone(request)
    done = request.method == "POST"
    if done:
        patient = Patient.objects.get(pk=link.about_id)
        registering.withdraw_consent(patient, Consent.Scope.EMAIL_REMINDERS, by=None, by_whom="patient")
    return render(request, "appointments/links/stop.html", {"done": done})


def _show(request, token, appointment, form=None, status=200):
    place = appointment.location
    content = {
        "token": token,
        "visit": appointment,
        "when": times.spoken(appointment.starts_at, place.time_zone),
        "is_confirmed": appointment.status == "confirmed",
        "form": form or BirthDateForm(),
    }
    return render(request, "appointments/links/visit.html", content, status=status)


def _cancel(request, token, link, appointment):
    form = BirthDateForm(request.POST)
    if not form.is_valid():
        return _show(request, token, appointment, form, status=400)
    try:
        visit_links.cancel(link, appointment, born_on=form.cleaned_data["born_on"])
    except RuleBroken as refused:
        if "born_on" not in refused.fields:
            return gone(request)
        form.add_error("born_on", refused.message)
        return _show(request, token, appointment, form, status=400)
    when = times.spoken(appointment.starts_at, appointment.location.time_zone)
    return render(request, "appointments/links/cancelled.html", {"visit": appointment, "when": when})
