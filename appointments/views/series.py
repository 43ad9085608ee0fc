"""Series on pages: planned, placed, moved and cancelled together. A proposal is made by GET and keeps nothing."""

from datetime import time, timedelta

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.models import Appointment, AppointmentType, Series
from appointments.recurring import gates, placing, proposal_page, standing
from appointments.recurring import series as rules
from appointments.recurring.series_forms import CancelSeveral, MoveSeveral, PlaceForm, SeriesForm, WaiveForm
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access
from locations.current import current
from patients.models import Patient

USUAL = {"weekdays": [0, 2, 4], "at_time": time(17, 30), "per_week_1": 3, "weeks_1": 4}


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def new(request):
    """Say what is wanted, see every visit proposed (GET), book what was chosen (POST)."""
    patient = _patient(request)
    given = request.POST if request.method == "POST" else request.GET if "weeks_1" in request.GET else None
    form = SeriesForm(given, user=request.user, initial=_usual(patient, request))
    context = {"patient": patient, "form": form}
    if given is None or not form.is_valid():
        return render(request, "appointments/series_new.html", context, status=400 if given is not None else 200)
    asked = placing.new(patient=patient, nearby=form.nearby(), **form.wanted())

    def book(choices):
        choices = {int(key): choice for key, choice in choices.items()}
        made = rules.book(choices=choices, days=asked.days, by=request.user, patient=patient, **form.wanted())
        _say(request, choices)
        return redirect("series", made.pk)

    return settle(request, asked, book, "appointments/series_new.html", context)


def settle(request, question, act, template, context):
    """Show what is proposed (GET), or act on what was chosen (POST); refused, the page comes back proposed anew.

    A row can be asked for further times: then nothing is acted on either, and what was chosen in the others stays.
    """
    status, refused = 200, None
    question = proposal_page.with_more(question, request.POST)
    if proposal_page.asking(request.POST):
        rows = proposal_page.again(question, request.POST, by=request.user)
    elif request.method == "POST":
        try:
            return act(proposal_page.read(request.POST, question))
        except RuleBroken as broken:
            rows = proposal_page.again(question, request.POST, broken, by=request.user)
            status, refused = broken.status, broken
    else:
        rows = proposal_page.rows(question.propose(), by=request.user)
    shown = {
        "rows": rows,
        "summary": proposal_page.summary(rows),
        "refused": refused and refused.message,
        "has_faults": any(row.fault for row in rows),
        "asking": proposal_page.asking(request.POST),
        "skip_reason": request.POST.get("skip_reason", "")[:200],
        "place": question.wishes[0].location if question.wishes else None,
        **proposal_page.overrides(rows, request.POST, refused),
    }
    return render(request, template, {**context, **shown}, status=status)


def _say(request, choices):
    skipped = sum(choice.is_skipped for choice in choices.values())
    booked = len(choices) - skipped
    messages.success(request, f"{booked} visit{'' if booked == 1 else 's'} on the calendar.")
    if skipped:
        left = f"{skipped} visit{'' if skipped == 1 else 's'}"
        messages.warning(request, f"{left} left out: listed as owed until placed.")


def _patient(request):
    value = request.POST.get("patient") or request.GET.get("patient") or ""
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadRequest("Say whose series it is: open it from the patient's page.")
    return get_object_or_404(Patient.objects.visible_to(request.user), pk=int(value))


def _usual(patient, request):
    """As the patient was last seen, else as one begins here."""
    here = current(request)
    last = (
        Appointment.objects.visible_to(request.user).filter(patient=patient).with_names().order_by("starts_at").last()
    )
    place = last.location if last and access.can(request.user, "appointment.create", last.location) else here
    return {
        **USUAL,
        "type": AppointmentType.objects.filter(is_evaluation=False).order_by("minutes").first(),
        "location": place and place.slug,
        "practitioner": last and last.practitioner_id,
        "starts_on": place and place.today() + timedelta(days=1),
    }


@require_GET
@requires("appointment.read")
def series(request, pk):
    found = _series(request, pk)
    visits = standing.of(found)
    ahead = [one for one in visits if one.state == standing.PLACED and one.appointment.starts_at > times.now()]
    return render(
        request,
        "appointments/series.html",
        {
            "series": found,
            "pattern": found.as_pattern,
            "weekdays": _day_names(found.as_pattern.weekdays),
            "visits": visits,
            "counts": standing.counts(visits),
            "owed": [one for one in visits if one.is_owed],
            "next": ahead[0].appointment if ahead else None,
            "may_place": found.is_open and access.can(request.user, "appointment.create", found.location),
            "may_change": access.can(request.user, "appointment.change", found.location),
        },
    )


def _day_names(weekdays):
    return ", ".join(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day] for day in weekdays)


def _series(request, pk, action="appointment.read"):
    return get_object_or_404(Series.objects.visible_to(request.user, action).with_names(), pk=pk)


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def place(request, pk):
    """Propose times for what a series owes (GET), book what was chosen (POST)."""
    found = _series(request, pk, "appointment.create")
    pattern = found.as_pattern
    given = request.POST if request.method == "POST" else request.GET if "at_time" in request.GET else None
    usual = {"weekdays": list(pattern.weekdays), "at_time": f"{pattern.at_time:%H:%M}", "stretch": ""}
    form = PlaceForm(given if given is not None else usual, series=found)
    context = {"series": found, "pattern": pattern, "form": form}
    template = "appointments/series_place.html"
    if refused := gates.refusal(found):
        context["stopped"] = refused.message
        if gates.refusal(found, for_checkpoint=True):
            return render(request, template, context, status=_status(request, refused))
    if not form.is_valid():
        return render(request, template, context, status=400)
    try:
        asked = placing.owed(found, **form.asked(), only_checkpoint=bool(refused))
    except RuleBroken as broken:
        for name, text in broken.fields.items():
            form.add_error(name, text)
        return render(request, template, context, status=broken.status)

    def act(choices):
        choices = {int(key): choice for key, choice in choices.items()}
        rules.place(found, choices, pattern=asked.pattern, days=asked.days, by=request.user)
        _say(request, choices)
        return redirect("series", pk)

    return settle(request, asked, act, template, context)


def _status(request, refused):
    return refused.status if request.method == "POST" else 200


@require_POST
@requires("appointment.change")
def waive(request, pk):
    found = _series(request, pk, "appointment.change")
    form = WaiveForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return redirect("series", pk)
    visit = get_object_or_404(found.visits, number=form.cleaned_data["visit"])
    try:
        rules.waive(visit, by=request.user, reason=form.cleaned_data["reason"])
    except RuleBroken as broken:
        messages.error(request, broken.message)
    else:
        messages.success(request, f"{visit.label} is no longer wanted.")
    return redirect("series", pk)


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def cancel(request, pk):
    """Cancel a visit and others of its series; the visit's own page cancels only that one."""
    visit = _member(request, pk)
    scope = request.GET.get("scope", rules.LATER)
    form = CancelSeveral(request.POST or None, initial={"scope": scope, "still_wanted": "yes"})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                cancelled = rules.cancel(visit, by=request.user, **form.cleaned_data)
            except RuleBroken as broken:
                form.add_error(None, broken.message)
                status = broken.status
            else:
                count = len(cancelled)
                messages.success(request, f"{count} visit{'' if count == 1 else 's'} cancelled.")
                return redirect("series", visit.series_visit.series_id)
    context = {"appointment": visit, "form": form, "members": _members(visit)}
    return render(request, "appointments/series_cancel.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def move(request, pk):
    """Move a visit and others of its series by as many days; the visit's own page moves only that one."""
    visit = _member(request, pk)
    given = request.POST if request.method == "POST" else request.GET if "day" in request.GET else None
    form = MoveSeveral(given, appointment=visit)
    context = {"appointment": visit, "form": form, "members": _members(visit)}
    if given is None or not form.is_valid():
        return render(request, "appointments/series_move.html", context, status=400 if given is not None else 200)
    said = form.cleaned_data
    members = rules.members(visit, said["scope"])
    question = placing.moved(visit, members, day=said["day"], at_time=said["time"], practitioner=said["practitioner"])

    def act(choices):
        choices |= proposal_page.gone(request.POST, question)
        seen = proposal_page.seen(request.POST, choices)
        moved = rules.move(visit, choices, seen=seen, by=request.user, reason=request.POST.get("skip_reason", ""))
        messages.success(request, f"{len(moved)} visit{'' if len(moved) == 1 else 's'} moved.")
        return redirect("series", visit.series_visit.series_id)

    return settle(request, question, act, "appointments/series_move.html", context)


def _member(request, pk):
    rows = Appointment.objects.visible_to(request.user, "appointment.change").with_names().with_series()
    return get_object_or_404(rows, pk=pk, series_visit__isnull=False)


def _members(visit):
    """The visits ahead with whether each is later than this one, and how many each scope reaches."""
    everybody = sorted(rules.members(visit, rules.ALL), key=lambda one: one.starts_at)
    later = [one for one in everybody if one.starts_at >= visit.starts_at]
    return {"all": everybody, "later": later}
