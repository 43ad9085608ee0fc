"""Practitioners: the list, a new one on a single page, and the page of one with hours, extra hours and time off."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.models import ExtraHours, TimeOff
from appointments.timetable import joining, practitioner_page, working_hours
from appointments.timetable.hours_forms import CLINICS, AwayForm, ClinicHours, ExtraForm, JoinForm, shifts_in
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access, kept_times, setup_pages, staffing
from locations.forms import say
from locations.kept_times import TimesKept
from locations.models import Location, Practitioner


@require_GET
@requires("hours.change")
def listing(request):
    context = {
        "rows": practitioner_page.rows(request.user),
        "may_enrol": access.can(request.user, "staff.change"),
    }
    return setup_pages.render(request, "appointments/practitioners.html", context)


@require_http_methods(["GET", "POST"])
@requires("staff.change")
def new(request):
    """Name, first day, and the week at each clinic: everything of a new colleague at once."""
    data = request.POST or None
    form = JoinForm(data)
    places = Location.objects.visible_to(request.user, "staff.change").filter(is_open=True)
    clinics = [ClinicHours(n, data, places) for n in range(1, CLINICS + 1)]
    status = 200
    if request.method == "POST":
        made = _join(form, clinics, request.user)
        if made:
            messages.success(
                request, f"{made} is enrolled. The invitation to {made.user.email} leaves within a minute."
            )
            return redirect("setup-practitioner", made.pk)
        status = 400
    context = {"form": form, "clinics": clinics}
    return setup_pages.render(request, "appointments/practitioner_new.html", context, status=status)


def _join(form, clinics, user) -> Practitioner | None:
    wrong = [part for part in (form, *clinics) if not part.is_valid()]
    if wrong:
        return None
    chosen = [clinic for clinic in clinics if clinic.location]
    if len({clinic.location for clinic in chosen}) < len(chosen):
        chosen[-1].problem = "This clinic is chosen twice: put all its hours into one block."
        return None
    try:
        return joining.join(**form.cleaned_data, hours={one.location: one.shifts for one in chosen}, by=user)
    except RuleBroken as refused:
        for one in chosen:
            one.problem = refused.fields.pop(one.location.slug, "")
        if refused.fields or not any(one.problem for one in chosen):
            say(form, refused)
        return None


def _practitioner(request, pk):
    return get_object_or_404(working_hours.set_by(request.user).select_related("user"), pk=pk)


@require_GET
@requires("hours.change")
def practitioner(request, pk):
    return _page(request, _practitioner(request, pk))


def _page(request, person, status=200, **bound):
    context = practitioner_page.read(person, request.user, at=request.GET.get("at", "")) | bound
    return setup_pages.render(request, "appointments/practitioner.html", context, status=status)


@require_POST
@requires("hours.change")
def hours(request, pk, slug):
    """The week at one clinic, from a day on."""
    person = _practitioner(request, pk)
    place = get_object_or_404(Location.objects.visible_to(request.user, "hours.change"), slug=slug)
    block = practitioner_page.bound_block(place, request.POST)
    if block.is_valid():
        try:
            working_hours.set_week(
                person, place, shifts_in(block.rows), **block.begin.cleaned_data, by=request.user,
                agreed=kept_times.agreed_in(request.POST),
            )  # fmt: skip
        except TimesKept as refused:
            return _ask_first(request, refused, person)
        except RuleBroken as refused:
            block.refuse(refused)
        else:
            said = practitioner_page.saved(person, place, block.begin.cleaned_data["from_day"])
            return _saved(request, person, said, slug)
    return _page(request, person, 400, refused=block)


def _ask_first(request, refused, person):
    return setup_pages.ask_first(request, refused, reverse("setup-practitioner", args=[person.pk]))


def _saved(request, person, said, part):
    messages.success(request, said)
    response = redirect("setup-practitioner", person.pk)
    response["Location"] += f"#{part}"
    return response


@require_POST
@requires("staff.change")
def online(request, pk):
    """Whether anybody may book these free times on the public page."""
    person = _practitioner(request, pk)
    is_offered = request.POST.get("is_offered") == "yes"
    staffing.offer_online(person, is_offered=is_offered, by=request.user)
    said = "Offered on the public page from now on." if is_offered else "No longer offered on the public page."
    return _saved(request, person, said, "online")


@require_POST
@requires("hours.change")
def extra(request, pk):
    person = _practitioner(request, pk)
    form = ExtraForm(request.POST, places=practitioner_page.places(request.user))
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = working_hours.add_extra(
                person, data["location"], day=data["day"], span=form.span(), reason=data["reason"], by=request.user
            )
        except RuleBroken as refused:
            say(form, refused)
        else:
            return _saved(request, person, practitioner_page.added(made), "extra")
    return _page(request, person, 400, extra=form)


@require_POST
@requires("hours.change")
def away(request, pk):
    person = _practitioner(request, pk)
    form = AwayForm(request.POST, zone=practitioner_page.zone_of(person))
    if form.is_valid():
        said = {name: form.cleaned_data[name] for name in ("starts_at", "ends_at", "reason")}
        try:
            working_hours.take_off(person, **said, by=request.user, agreed=kept_times.agreed_in(request.POST))
        except TimesKept as refused:
            return _ask_first(request, refused, person)
        except RuleBroken as refused:
            say(form, practitioner_page.at_days(refused))
        else:
            return _saved(request, person, "The absence is entered. Nothing is offered then.", "away")
    return _page(request, person, 400, away=form)


@require_POST
@requires("hours.change")
def take_back(request, kind, pk):
    """Extra hours or time off that were entered by mistake, or that are not needed after all."""
    mine = Q(practitioner__in=working_hours.set_by(request.user))
    if kind == "extra":
        found = get_object_or_404(ExtraHours.objects.filter(mine).select_related("practitioner", "location"), pk=pk)
        try:
            working_hours.remove_extra(found, by=request.user, agreed=kept_times.agreed_in(request.POST))
        except TimesKept as refused:
            return _ask_first(request, refused, found.practitioner)
    elif kind == "away":
        found = get_object_or_404(TimeOff.objects.filter(mine).select_related("practitioner"), pk=pk)
        working_hours.take_back(found, by=request.user)
    else:
        raise Http404
    return _saved(request, found.practitioner, "Taken back.", kind)
