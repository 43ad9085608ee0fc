"""Calendars to subscribe to: the feed itself, and the pages on which its address is made and revoked."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_http_methods

from appointments.online import calendar_feeds, visit_links
from clinic import policy, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import setup_pages
from locations.models import Practitioner
from patients import birth_date
from patients.link_pages import BirthDateForm, behind_link, gone
from patients.models import Patient


@requires(policy.LINK)
@require_http_methods(["GET", "HEAD"])
def feed(request, token):
    found = calendar_feeds.read(token)
    if found is None:
        return gone(request)
    answer = HttpResponse(found.content, content_type="text/calendar; charset=utf-8")
    answer["ETag"] = found.etag
    answer["Cache-Control"] = "private, no-cache"
    answer["X-Robots-Tag"] = "noindex"
    stamp = found.changed_at and int(found.changed_at.timestamp())
    if stamp:
        answer["Last-Modified"] = http_date(stamp)
    return get_conditional_response(request, etag=found.etag, last_modified=stamp, response=answer)


@behind_link(visit_links.find)
def of_link(request, token, link, visit):
    """The patient's own, from the page of a visit; the birth date is asked, since it shows visits for years to come."""
    patient, form, address, status = visit.patient, BirthDateForm(), "", 200
    if request.method == "POST":
        form, status = BirthDateForm(request.POST), 400
        if form.is_valid():
            try:
                birth_date.check(link, patient, form.cleaned_data["born_on"])
            except RuleBroken as refused:
                if "born_on" not in refused.fields:
                    return gone(request)
                form.add_error("born_on", refused.message)
            else:
                status, address = 200, _done(request, patient, by=None, by_whom="patient")
    context = {"token": token, "form": form, "address": address, "feeds": calendar_feeds.made_for(patient)}
    return render(request, "appointments/links/subscribe.html", context, status=status)


def _done(request, owner, *, by, by_whom=""):
    """The new address; nothing after it was revoked."""
    if request.POST.get("step") == "revoke":
        calendar_feeds.revoke(owner, by=by, by_whom=by_whom)
        return ""
    return calendar_feeds.make(owner, by=by, by_whom=by_whom)


@require_http_methods(["GET", "POST"])
@requires("patient.write")
def of_patient(request):
    typed = request.GET.get("patient", "")
    pk = typed if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
    patient = get_object_or_404(Patient.objects.visible_to(request.user, "patient.write"), pk=pk)
    address = _done(request, patient, by=request.user) if request.method == "POST" else ""
    context = _context(patient, address, patient.home_location.time_zone)
    return render(request, "appointments/feed_of_patient.html", context)


@require_http_methods(["GET", "POST"])
@requires("hours.change")
def of_practitioner(request, pk):
    person = get_object_or_404(Practitioner.objects.select_related("user"), pk=pk)
    calendar_feeds.check_may_see(person, request.user)
    address = _done(request, person, by=request.user) if request.method == "POST" else ""
    context = _context(person, address, "UTC")
    return setup_pages.render(request, "appointments/feed_of_practitioner.html", context)


def _context(owner, address, zone):
    made = [times.local(link.created_at, zone) for link in calendar_feeds.made_for(owner)]
    return {"owner": owner, "address": address, "made": made}
