from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import availability, booking, calendar_day, visit_actions, visit_status
from appointments.forms import BookVisit, ChooseDay, FindPatient, FindTimes, MoveVisit, TakeStep, working_at
from appointments.models import Appointment, AppointmentType
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access
from locations.current import current
from patients import queries
from patients.models import Patient

SOONEST = 12
LOOK_AHEAD = timedelta(days=42)


def _chosen_day(request, location):
    form = ChooseDay(request.GET)
    if not form.is_valid():
        raise BadRequest("day must be a date like 2027-01-04.")
    return form.cleaned_data["day"] or location.today()


@require_GET
@requires("appointment.read")
def calendar(request):
    location = current(request)
    if location is None:
        return render(request, "appointments/calendar.html", {"location": None})
    shown = calendar_day.read(location, _chosen_day(request, location), request.user)
    context = {
        "location": location,
        "shown": shown,
        "is_today": shown.day == location.today(),
        "zone": f"{shown.noon:%Z}",
        "practitioners": working_at([location]),
        "may_book": access.can(request.user, "appointment.create", location),
        "may_move": access.can(request.user, "appointment.change", location),
    }
    return render(request, "appointments/calendar.html", context)


@require_GET
@requires("appointment.read")
def calendar_events(request):
    location = current(request)
    if location is None:
        raise BadRequest("No location is chosen.")
    shown = calendar_day.read(location, _chosen_day(request, location), request.user)
    return JsonResponse(calendar_day.as_json(shown, request.user))


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
    context = {"patient": patient, "find": find, "book": book, "nearest": _by_day(nearest), **_soonest(find, patient)}
    fragment = request.htmx and request.htmx.target == "times"
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
    found = []
    try:
        found = queries.search(request.user, typed)[:20] if typed else []
    except RuleBroken as broken:
        form.add_error("q", broken.message)
    context = {"form": form, "found": found, "typed": typed, "type": request.GET.get("type", "")}
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
        "from_day": given.get("from_day") or (here.today().isoformat() if here else ""),
    }


def _exact_defaults(request, patient):
    return {"patient": patient.pk, "at": current(request).slug if current(request) else None}


def _book(data, user):
    return booking.book(
        patient=data["patient"],
        practitioner=data["practitioner"],
        location=data["location"],
        type=data["type"],
        starts_at=data["starts_at"],
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
            limit=SOONEST,
        )
    except RuleBroken as broken:
        find.add_error("from_day", broken.message)
        return {"days": [], "searched": False}
    return {
        "days": _by_day(found.slots),
        "searched": True,
        "last_day": asked["from_day"] + LOOK_AHEAD,
        "next_from": found.next_from,
    }


def _by_day(slots):
    """[(local day, [{value, slot, at}])]: one group a day, each time on the clock of its own clinic."""
    offered = [
        {"value": f"{slot.starts_at.isoformat()}|{slot.location.slug}|{slot.practitioner.pk}", "slot": slot}
        for slot in slots
    ]
    return [(day, list(group)) for day, group in groupby(offered, key=lambda one: one["slot"].local_start.date())]


@require_GET
@requires("appointment.read")
def visit(request, pk):
    appointment = get_object_or_404(Appointment.objects.visible_to(request.user).with_names(), pk=pk)
    may_change = access.can(request.user, "appointment.change", appointment.location)
    allowed = visit_status.allowed(appointment) if may_change else []
    context = {
        "appointment": appointment,
        "history": [
            {"event": e, "at": times.local(e.at, appointment.location.time_zone), **_moved(e, appointment)}
            for e in appointment.history.select_related("by")
        ],
        "steps": [s for s in allowed if s.name != "cancel"],
        "may_cancel": any(s.name == "cancel" for s in allowed),
        "may_move": may_change and appointment.status in booking.MOVABLE,
        "actions": visit_actions.templates(request.user, appointment.location),
    }
    return render(request, "appointments/visit.html", context)


def _moved(event, appointment):
    if event.from_start is None or event.from_start == event.to_start:
        return {}
    zone = appointment.location.time_zone
    return {"from_start": times.spoken(event.from_start, zone), "to_start": times.spoken(event.to_start, zone)}


@require_POST
@requires("appointment.change")
def step(request, pk):
    appointment = get_object_or_404(
        Appointment.objects.visible_to(request.user, "appointment.change").with_names(), pk=pk
    )
    form = TakeStep(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
    else:
        try:
            visit_status.take(
                form.cleaned_data["step"], appointment, by=request.user, reason=form.cleaned_data["reason"]
            )
        except RuleBroken as broken:
            messages.error(request, broken.message)
        else:
            appointment.refresh_from_db()
            messages.success(request, f"{appointment.patient}: {appointment.get_status_display().lower()}.")
    return redirect(_next(request) or reverse("appointment", args=[pk]))


def _next(request):
    """Where to go afterwards, if that is an address of ours."""
    address = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if allowed else ""


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def move(request, pk):
    """The form, and what a drag on the calendar posts; the calendar asks for JSON."""
    appointment = get_object_or_404(
        Appointment.objects.visible_to(request.user, "appointment.change").with_names(), pk=pk
    )
    form = MoveVisit(request.POST or None, appointment=appointment, user=request.user)
    nearest, status = [], 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                moved = _reschedule(appointment, form.cleaned_data, request.user)
            except RuleBroken as broken:
                form.add_error(None, broken.message)
                nearest, status = broken.nearest, broken.status
            else:
                return _after_move(request, moved)
    if _wants_json(request) and request.method == "POST":
        detail = " ".join(error for errors in form.errors.values() for error in errors)
        return JsonResponse({"detail": detail, "nearest": [_as_choice(s) for s in nearest]}, status=status)
    context = {"appointment": appointment, "form": form, "nearest": [_as_choice(s) for s in nearest]}
    return render(request, "appointments/move.html", context, status=status)


def _reschedule(appointment, data, user):
    return booking.reschedule(
        appointment,
        starts_at=data["starts_at"],
        practitioner=data["practitioner"],
        by=user,
        reason=data["reason"],
        override_reason=data.get("override_reason", ""),
    )


def _wants_json(request):
    return request.headers.get("Accept", "").startswith("application/json")


def _after_move(request, moved):
    said = f"{moved.patient} moved to {times.spoken(moved.starts_at, moved.location.time_zone)}, {moved.practitioner}."
    if _wants_json(request):
        return JsonResponse({"detail": said})
    messages.success(request, said)
    return redirect("appointment", moved.pk)


def _as_choice(slot):
    """A free time as the fields of the move form, with the sentence that offers it."""
    return {
        "practitioner": slot.practitioner.pk,
        "day": slot.local_start.date().isoformat(),
        "time": f"{slot.local_start:%H:%M}",
        "text": f"{times.spoken(slot.starts_at, slot.location.time_zone)} with {slot.practitioner}",
    }
