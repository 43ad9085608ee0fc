from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from clinic import policy, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from dashboard import today as board_of_day
from locations import access
from locations.current import first_page, shown
from patients import queries

RESULTS = 50


class ChosenDay(forms.Form):
    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def clean_day(self):
        day = self.cleaned_data["day"]
        # The days at the rim have no neighbour to switch to.
        if day and not times.EARLIEST.date() < day < times.LATEST.date() - timedelta(days=1):
            raise forms.ValidationError("Out of range.")
        return day


@require_GET
@requires(policy.SIGNED_IN)
def today(request):
    """The boards of the locations shown; htmx asks every 5 seconds and gets what is new, or nothing.

    Everybody lands here after signing in: who sees no visits (an auditor) goes on to the first page they do see.
    """
    if not access.can(request.user, "appointment.read"):
        elsewhere = first_page(request)
        if elsewhere is None:
            raise PermissionDenied
        return redirect(elsewhere)
    locations = shown(request)
    if not locations:
        return render(request, "dashboard/today.html", {"boards": []})
    chosen = ChosenDay(request.GET)
    day = chosen.cleaned_data["day"] if chosen.is_valid() else None
    if not chosen.is_valid():
        messages.warning(request, "That is not a day like 2027-01-04, so here is today.")
    boards = board_of_day.read(locations, request.user, day)
    flags = board_of_day.open_flags(request.user)
    version = board_of_day.version(boards, [flag["event"].pk for flag in flags])
    if request.htmx and version == request.GET.get("seen"):
        return HttpResponse(status=204)  # nothing new: htmx leaves the board as it is
    first = boards[0].day
    context = {
        "boards": boards,
        "locations": locations,
        "day": day,
        "first": boards[0],
        "before": first - timedelta(days=1),
        "after": first + timedelta(days=1),
        "flags": flags,
        "version": version,
        "here": _here(request, day),
        "may_book": access.can(request.user, "appointment.create"),
    }
    return render(request, "dashboard/_board_answer.html" if request.htmx else "dashboard/today.html", context)


def _here(request, day):
    """The address of this board: what it was asked for, so that today stays today after midnight."""
    asked = [("location", slug) for slug in request.GET.getlist("location")] + ([("day", day)] if day else [])
    return f"{reverse('today')}?{urlencode(asked)}"


@require_GET
@requires("patient.search")
def search(request):
    """Where the search box of every page leads; one hit is opened at once."""
    typed = request.GET.get("q", "").strip()
    context = {"finder_query": typed[:200], "found": [], "more": False}
    status = 200
    if typed:
        try:
            found = queries.search(request.user, typed, limit=RESULTS + 1)
            if not found:
                context["alike"] = queries.sounding_like(request.user, typed)
        except RuleBroken as refused:
            context["problem"], status, found = refused.message, refused.status, []
        if len(found) == 1 and access.can(request.user, "patient.read"):
            return redirect("patient", found[0].pk)
        context |= {"found": found[:RESULTS] or context.get("alike", []), "more": len(found) > RESULTS}
    context["may_create"] = access.can(request.user, "patient.create")
    return render(request, "dashboard/search.html", context, status=status)
