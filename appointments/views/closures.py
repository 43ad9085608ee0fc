"""Closing clinics: the days, the visits they hit, and the way back, on one page."""

from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from appointments.moving import bulk_moves, move_links
from appointments.timetable import closed_days
from appointments.timetable.closure_forms import CloseForm
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access, kept_times, opening, setup_pages
from locations.forms import say
from locations.kept_times import TimesKept
from locations.models import Closure, Location


@require_http_methods(["GET", "POST"])
@requires("location.change")
def closures(request):
    """GET with days shows the visits they would hit; POST closes."""
    asked = request.POST if request.method == "POST" else request.GET if "starts_on" in request.GET else None
    form = CloseForm(asked, user=request.user)
    status = 200
    if request.method == "POST":
        try:
            made = _close(form, request)
        except TimesKept as refused:
            return setup_pages.ask_first(request, refused, reverse("setup-closures"))
        if made:
            opened = urlencode({"open": [closure.pk for closure in made]}, doseq=True)
            return redirect(f"{reverse('setup-closures')}?{opened}#closure-{made[0].pk}")
        status = 400
    preview = _preview(form, request.user)
    if request.htmx and request.htmx.target == "hit":
        return render(request, "appointments/_hit.html", preview)
    context = {"form": form, **preview, "rows": _rows(form.places, request)}
    return setup_pages.render(request, "appointments/closures.html", context, status=status)


def _close(form, request):
    if not form.is_valid():
        return []
    data = form.cleaned_data
    try:
        made = opening.close(
            form.chosen(), starts_on=data["starts_on"], ends_on=data["ends_on"], reason=data["reason"], by=request.user,
            agreed=kept_times.agreed_in(request.POST),
        )  # fmt: skip
    except TimesKept:
        raise
    except RuleBroken as refused:
        say(form, refused)
        return []
    count = closed_days.hit(made, form.places, request.user).count()
    moved = f" {count} visit{'' if count == 1 else 's'} on these days must be moved: see below." if count else ""
    messages.success(request, f"Closed: {made[0].reason}.{moved}")
    return made


def _preview(form, user):
    """The visits that the days in the form would hit, by clinic; nothing while the days are not yet typed."""
    if not form.is_bound or {"starts_on", "ends_on", "where", "locations"} & set(form.errors):
        return {"preview": None}
    if form.cleaned_data["ends_on"] < form.cleaned_data["starts_on"]:
        return {"preview": None}
    closures = form.would_close()
    visits = list(closed_days.hit(closures, form.places, user))
    offers = list(closed_days.offers_hit(closures, form.places, user))
    return {"preview": _by_place(visits, user), "preview_count": len(visits), "offers": offers}


def _by_place(visits, user):
    return [
        {"place": place, "visits": list(group), "may_move": access.can(user, "appointment.change", place)}
        for place, group in groupby(visits, key=lambda visit: visit.location)
    ]


def _rows(places, request):
    """Closures ahead with the visits they hit; two queries for any number of closures and visits."""
    ahead = closed_days.ahead(places)
    hit = list(closed_days.hit(ahead, places, request.user))
    whole = access.location_ids(request.user, "location.change") is None
    return [
        {
            "closure": closure,
            "count": len(mine),
            "places": _by_place(mine, request.user),
            "moves": _way(closure, mine) if access.can(request.user, "appointment.change") else "",
            "is_open": str(closure.pk) in request.GET.getlist("open"),
            "may_take_back": whole or closure.location_id is not None,
        }
        for closure in ahead
        for mine in [[visit for visit in hit if closed_days.is_hit(visit, closure)]]
    ]


def _way(closure, visits):
    """To where the visits that the closure hits are moved at once; nothing where it hits none."""
    if not visits:
        return ""
    first = min(visit.local_start.date() for visit in visits)
    last = min(closure.ends_on, first + timedelta(days=bulk_moves.LONGEST - 1))
    return move_links.of_stuck(first, last, location=closure.location)


@require_POST
@requires("location.change")
def take_back(request, pk):
    """Somebody out of whose sight the closure is finds nothing; a holiday of the group is the owner's."""
    found = Closure.objects.select_related("location").filter(pk=pk).first()
    mine = Location.objects.visible_to(request.user, "location.change")
    if found is None or (found.location_id and not mine.filter(pk=found.location_id).exists()):
        raise Http404
    try:
        opening.reopen(found, by=request.user)
    except RuleBroken as refused:
        messages.error(request, f"{found.reason} is not taken back. {refused.message}")
    else:
        messages.success(request, f"Open again: {found.reason} is taken back.")
    return redirect("setup-closures")
