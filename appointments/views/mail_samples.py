"""Mails as patients would read them, written for a real visit in sight; and one of them as a test to who looks."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from appointments.mails import letters, mail_samples, mail_tests
from appointments.mails.sample_forms import SampleForm, TryOutForm
from appointments.models import Appointment
from appointments.views.mails import chosen_place
from clinic import audit, mail_kinds, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import setup_pages
from patients import languages, queries

LISTED = 20


def _in_sight(user, place):
    """Visits of clinics whose mails the user sets, of patients whom they may read."""
    found = Appointment.objects.visible_to(user, "location.change").visible_to(user, "patient.read")
    return (found.at(place) if place else found).filter(patient__isnull=False).with_names()


def _listed(user, visits, typed):
    """The next visits, or those of the patients who were looked for, the newest first."""
    if not typed:
        return list(visits.filter(starts_at__gt=times.now()).holding_time().order_by("starts_at", "pk")[:LISTED])
    people = [one.pk for one in queries.search(user, typed, limit=LISTED, action="patient.read")]
    return list(visits.filter(patient__in=people).order_by("-starts_at", "pk")[:LISTED])


def _asked(given):
    """The id of the visit in the address, 0 for none and for what is no id."""
    typed = given.get("visit", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0


@require_GET
@requires("location.change")
def samples(request):
    place = chosen_place(request)
    visits = _in_sight(request.user, place)
    refused, listed = "", []
    try:
        listed = _listed(request.user, visits, request.GET.get("find", ""))
    except RuleBroken as too_long:
        refused = too_long.message
    asked = _asked(request.GET)
    if asked and asked not in {one.pk for one in listed}:
        found = visits.filter(pk=asked).first()
        if found is None:
            raise Http404
        listed.insert(0, found)
    chosen = next((one for one in listed if one.pk == asked), listed[0] if listed else None)
    given = {"kind": next(iter(mail_kinds.to_patients())), "visit": chosen and chosen.pk} | request.GET.dict()
    form = SampleForm(given, visits=listed)
    if refused:
        form.add_error("find", refused)
    shown = form.is_valid() and chosen
    context = {
        "place": place,
        "query": f"?at={place.slug}" if place else "",
        "form": form,
        "chosen": chosen,
        "kind": form.cleaned_data.get("kind"),
        **(_written(request, form.cleaned_data["kind"], chosen) if shown else {}),
    }
    return setup_pages.render(
        request, "appointments/mail_samples.html", context, status=200 if form.is_valid() else 400
    )


def _written(request, kind, visit):
    audit.record("mail.previewed", on=visit, by=request.user, kind=kind)
    topic = mail_kinds.topic_of(kind)
    return {
        "samples": mail_samples.in_every_language(kind, visit),
        "own": languages.of(visit.patient),
        "why_not": letters.unreachable(visit.patient, topic) if topic else "",
    }


@require_POST
@requires("location.change")
def test(request):
    """Send one to the address of who is signed in, as a test."""
    place = chosen_place(request)
    form = TryOutForm(request.POST)
    if not form.is_valid():
        raise Http404
    given = form.cleaned_data
    visit = _in_sight(request.user, place).filter(pk=given["visit"]).first()
    if visit is None:
        raise Http404
    try:
        address = mail_tests.send(given["kind"], visit, language=given["language"], by=request.user)
    except RuleBroken as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"The test is on its way to {address}.")
    back = {"kind": given["kind"], "visit": visit.pk} | ({"at": place.slug} if place else {})
    return redirect(f"{reverse('setup-mail-samples')}?{urlencode(back)}")
