from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from appointments import availability, promised
from appointments.forms import BookVisit, FindPatient, FindTimes
from appointments.models import AppointmentType
from appointments.recurring import gates
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations.current import current
from patients import queries
from patients.models import Patient

SOONEST = 12
LOOK_AHEAD = timedelta(days=42)
# What was wanted before it was said for whom.
WANTED = ("type", "location", "from_day", "day", "time", "practitioner")


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def new(request):
    """Patient, then what and where (GET), then one of the soonest times (POST)."""
    patient = _chosen_patient(request)
    if patient is None:
        return _choose_patient(request)
    find = FindTimes(_search(request), user=request.user)
    book = BookVisit(request.POST or None, user=request.user, initial=_exact_defaults(request, patient))
    nearest = []
    if request.method == "POST" and book.is_valid():
        try:
            appointment = _book(book.cleaned_data, request.user)
        except RuleBroken as broken:
            book.add_error(None, broken.message)
            nearest = broken.nearest
        else:
            when = times.spoken(appointment.starts_at, appointment.location.time_zone)
            messages.success(request, f"Booked for {patient}: {when} with {appointment.practitioner}.")
            return redirect("appointment", appointment.pk)
    held_back = find.type and gates.against_visit(patient, find.type, by=request.user)
    context = {"patient": patient, "find": find, "book": book, "nearest": _by_day(nearest), **_soonest(find, patient)}
    context["held_back"] = held_back
    fragment = request.htmx and request.htmx.target == "times"
    context["has_length"] = find.type is not None and find.type.least_minutes < find.type.most_minutes
    context["is_fragment"] = fragment
    return render(request, "appointments/_times.html" if fragment else "appointments/new.html", context)


def _chosen_patient(request):
    value = request.POST.get("patient") or request.GET.get("patient")
    if not value:
        return None
    if not value.isdecimal():
        raise BadRequest("patient must be a number.")
    return get_object_or_404(Patient.objects.visible_to(request.user), pk=int(value[:18]))


def _choose_patient(request):
    form = FindPatient(request.GET)
    typed = form.cleaned_data["q"] if form.is_valid() else ""
    found, alike = [], []
    try:
        if typed:
            found = queries.search(request.user, typed)
            alike = [] if found else queries.sounding_like(request.user, typed)
    except RuleBroken as broken:
        form.add_error("q", broken.message)
    context = {
        "form": form,
        "found": found or alike,
        "is_alike": bool(alike),
        "typed": typed,
        "wanted": [(name, request.GET[name]) for name in WANTED if request.GET.get(name)],
    }
    fragment = request.htmx and request.htmx.target == "found-patients"
    return render(request, "appointments/_found_patients.html" if fragment else "appointments/new.html", context)


def _search(request):
    """What was searched for; the form of the times carries it along, so that a refused booking loses nothing."""
    given = request.POST if request.method == "POST" else request.GET
    here = current(request)
    first = AppointmentType.objects.first()
    return {
        "type": given.get("type") or (first.slug if first else ""),
        "location": given.get("location") or (here.slug if here else ""),
        "practitioner": given.get("practitioner", ""),
        "minutes": given.get("minutes", ""),
        "within": given.get("within", ""),
        "after": given.get("after", ""),
        "from_day": given.get("from_day") or (here.today().isoformat() if here else ""),
    }


def _exact_defaults(request, patient):
    """The time that was pointed at on the calendar, or the clinic alone."""
    wanted, here = request.GET, current(request)
    return {
        "patient": patient.pk,
        "at": wanted.get("location") or (here.slug if here else None),
        **{name: wanted[name] for name in ("day", "time") if name in wanted},
        "practitioner_at": wanted.get("practitioner"),
    }


def _book(data, user):
    return promised.book(
        patient=data["patient"],
        practitioner=data["practitioner"],
        location=data["location"],
        type=data["type"],
        starts_at=data["starts_at"],
        minutes=data["minutes"],
        by=user,
        override_reason=data.get("override_reason", ""),
    )


def _soonest(find, patient):
    if not find.is_valid():
        return {"days": [], "searched": False}
    asked = find.cleaned_data
    try:
        found = availability.find(
            type=asked["type"],
            locations=asked["locations"],
            practitioners=[asked["practitioner"]] if asked["practitioner"] else None,
            from_day=asked["from_day"],
            to_day=asked["from_day"] + LOOK_AHEAD,
            patient=patient,
            minutes=asked["minutes"],
            limit=SOONEST,
            after=asked["after"],
        )
    except RuleBroken as broken:
        find.add_error("from_day", broken.message)
        return {"days": [], "searched": False}
    return {
        "days": _by_day(found.slots),
        "searched": True,
        "last_day": asked["from_day"] + LOOK_AHEAD,
        "next_from": found.next_from,
        "next_after": found.next_after,
    }


def _by_day(slots):
    """[(local day, [{value, slot, at}])]: one group a day, each time on the clock of its own clinic."""
    offered = [
        {"value": f"{slot.starts_at.isoformat()}|{slot.location.slug}|{slot.practitioner.pk}", "slot": slot}
        for slot in slots
    ]
    return [(day, list(group)) for day, group in groupby(offered, key=lambda one: one["slot"].local_start.date())]
