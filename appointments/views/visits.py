"""The page of a visit: its steps, their undoing, and moving it. A script on a page asks the same for JSON."""

from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import as_seen, booking, conflicts, overriding, promised, visit_actions, visit_status
from appointments.forms import MoveVisit, TakeStep, UndoStep
from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access
from locations.models import Location


@require_GET
@requires("appointment.read")
def visit(request, pk):
    rows = (
        Appointment.objects.visible_to(request.user)
        .with_names()
        .select_related("series_visit__series", "series_visit__type")
    )
    appointment = get_object_or_404(rows, pk=pk)
    may_change = access.can(request.user, "appointment.change", appointment.location)
    allowed = visit_status.allowed(appointment) if may_change else []
    history = list(appointment.history.select_related("by"))
    context = {
        "appointment": appointment,
        "history": [
            {
                "event": e,
                "at": times.local(e.at, appointment.location.time_zone),
                "overridden": " and ".join(conflicts.OVERRIDDEN[code] for code in e.overridden),
                **_moved(e, *zones),
            }
            for e, zones in zip(history, _zones(history, appointment), strict=True)
        ],
        "steps": [s for s in allowed if s.name != "cancel"],
        "opens_later": may_change and visit_status.opens_later(appointment),
        "may_cancel": any(s.name == "cancel" for s in allowed),
        "may_move": may_change and appointment.status in booking.MOVABLE,
        "last_step": visit_status.undoable_step(appointment, request.user) if may_change else None,
        "panels": visit_actions.panels(appointment, request),
        "actions": visit_actions.templates(request.user, appointment.location),
    }
    return render(request, "appointments/visit.html", context)


def _moved(event, from_zone, to_zone):
    if event.from_start is None or event.from_start == event.to_start:
        return {}
    return {"from_start": times.spoken(event.from_start, from_zone), "to_start": times.spoken(event.to_start, to_zone)}


def _zones(history, appointment):
    """The zones of the places before and after each step; read backwards, for only a place that is left is written."""
    place, found = appointment.location_id, []
    for event in reversed(history):
        found.append((event.left or place, place))
        place = found[-1][0]
    zones = {appointment.location_id: appointment.location.time_zone}
    if others := {pk for pair in found for pk in pair} - {*zones}:
        zones |= dict(Location.objects.filter(pk__in=others).values_list("pk", "time_zone"))
    return [(zones[before], zones[after]) for before, after in reversed(found)]


@require_POST
@requires("appointment.change")
def step(request, pk):
    appointment = _changeable(request, pk)
    form = TakeStep(request.POST)
    if not form.is_valid():
        return _refused(request, appointment, _errors(form), status=400)
    try:
        visit_status.take(form.cleaned_data["step"], appointment, by=request.user, **form.given())
    except RuleBroken as broken:
        return _refused(request, appointment, broken.message, status=broken.status)
    return _done(request, appointment, f"{appointment.patient}: {appointment.get_status_display().lower()}.")


@require_POST
@requires("appointment.change")
def undo(request, pk):
    """Take back the step named by `event`, the one that the page showed as the last."""
    appointment = _changeable(request, pk)
    form = UndoStep(request.POST)
    if not form.is_valid():
        return _refused(request, appointment, _errors(form), status=400)
    try:
        visit_status.undo(appointment, by=request.user, expected=form.cleaned_data["event"])
    except RuleBroken as broken:
        return _refused(request, appointment, broken.message, status=broken.status)
    back = Appointment.objects.with_names().get(pk=pk)
    when = times.spoken(back.starts_at, back.location.time_zone)
    said = f"Taken back. {back.patient}: {back.get_status_display().lower()}, {when}, {back.practitioner}."
    return _done(request, back, said)


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def move(request, pk):
    """The form, and what a drag on the calendar posts; a refused move leaves the visit where it is."""
    appointment = _changeable(request, pk)
    form = MoveVisit(request.POST or None, appointment=appointment, user=request.user)
    refused, status = None, 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                moved = promised.reschedule(appointment, by=request.user, **form.wanted())
            except RuleBroken as broken:
                form.add_error(None, broken.message)
                refused, status = broken, broken.status
                if broken.code == as_seen.CHANGED:
                    appointment = _changeable(request, pk)
                    form.show_as_now(appointment)
            else:
                when = times.spoken(moved.starts_at, moved.location.time_zone)
                if moved.sequence == appointment.sequence:
                    return _done(request, moved, f"{moved.patient} stays at {when}, {moved.practitioner}.")
                return _done(request, moved, f"{moved.patient} moved to {when}, {moved.practitioner}.")
    nearest = [_as_choice(slot) for slot in refused.nearest] if refused else []
    if _wants_json(request) and request.method == "POST":
        answer = {
            "detail": _errors(form),
            "nearest": nearest,
            "which": _which(form),
            "can_override": _can_override(request, refused, form),
        }
        return JsonResponse(answer, status=status)
    return render(
        request, "appointments/move.html", {"appointment": appointment, "form": form, "nearest": nearest}, status=status
    )


def _changeable(request, pk):
    return get_object_or_404(Appointment.objects.visible_to(request.user, "appointment.change").with_names(), pk=pk)


def _can_override(request, refused, form):
    """Whether this person may have it their way after all, with a reason."""
    if refused is None or refused.code not in conflicts.OVERRIDABLE:
        return False
    data = form.cleaned_data
    return overriding.may_override(request.user, data["practitioner"], data["location"])


def _which(form):
    """The two passes to choose from, where the time comes twice and the form did not say which."""
    return [{"zone": zone, "text": words} for zone, words in form.fields["zone"].asked] if "zone" in form.errors else []


def _errors(form):
    return " ".join(error for errors in form.errors.values() for error in errors)


def _wants_json(request):
    return request.headers.get("Accept", "").startswith("application/json")


def _done(request, appointment, said):
    if _wants_json(request):
        last = visit_status.undoable_step(appointment, request.user)
        undo = {"url": reverse("appointment-undo", args=[appointment.pk]), "event": last.pk} if last else None
        return JsonResponse({"detail": said, "undo": undo})
    messages.success(request, said)
    return redirect(_next(request) or reverse("appointment", args=[appointment.pk]))


def _refused(request, appointment, said, *, status):
    if _wants_json(request):
        return JsonResponse({"detail": said, "nearest": [], "which": [], "can_override": False}, status=status)
    messages.error(request, said)
    return redirect(_next(request) or reverse("appointment", args=[appointment.pk]))


def _next(request):
    """Where to go afterwards, if that is an address of ours."""
    address = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if allowed else ""


def _as_choice(slot):
    """A free time as the fields of the move form, with the sentence that offers it."""
    return {
        "location": slot.location.slug,
        "practitioner": slot.practitioner.pk,
        "day": slot.local_start.date().isoformat(),
        "time": f"{slot.local_start:%H:%M}",
        "zone": f"{slot.local_start:%Z}",
        "text": f"{times.spoken(slot.starts_at, slot.location.time_zone)} with {slot.practitioner}",
    }
