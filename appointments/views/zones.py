"""Another time zone for a clinic: what it does to the visits ahead is shown before it is done."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from appointments import zone_change
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import places, setup_pages
from locations.forms import line, say
from locations.models import Location


class ZoneForm(forms.Form):
    time_zone = forms.ChoiceField(label="New time zone", choices=places.ZONES)
    reason = line("Why", 200, required=False, help_text="Kept with the clinic and with each visit.")


@require_http_methods(["GET", "POST"])
@requires("location.change")
def change(request, slug):
    """GET with a zone shows what would become of each visit; POST changes it."""
    place = get_object_or_404(Location.objects.visible_to(request.user, "location.change"), slug=slug)
    asked = request.POST if request.method == "POST" else request.GET if "time_zone" in request.GET else None
    form = ZoneForm(asked, initial={"time_zone": place.time_zone})
    status, shifts = 200, None
    if asked is not None and form.is_valid():
        zone = form.cleaned_data["time_zone"]
        try:
            shifts = zone_change.plan(place, zone)
            if request.method == "POST":
                zone_change.change(place, zone, by=request.user, reason=form.cleaned_data["reason"])
                messages.success(request, _said(place, zone, len(shifts)))
                return redirect("setup-clinic", place.slug)
        except RuleBroken as refused:
            say(form, _at_form(refused))
            status = refused.status
    elif asked is not None:
        status = 400
    context = {"place": place, "form": form, "shifts": _shown(shifts, asked), "now": _now(place.time_zone)}
    context["faults"] = sum(bool(row["shift"].fault) for row in context["shifts"] or ())
    return setup_pages.render(request, "appointments/zone.html", context, status=status)


def _said(place, zone, count):
    visits = f" {count} visit{'' if count == 1 else 's'} ahead keep their clock time." if count else ""
    return f"{place} is on the clock of {zone} now.{visits}"


def _at_form(refused):
    """The rows say what is in the way of each visit; the form says it in short."""
    known = {name: said for name, said in refused.fields.items() if name in ("time_zone", "reason")}
    refused.fields = known or {"time_zone": refused.message}
    return refused


def _shown(shifts, asked):
    if shifts is None:
        return None
    zone = asked["time_zone"]
    first = sorted(shifts, key=lambda shift: not shift.fault)
    return [{"shift": shift, "starts": times.local(shift.starts_at, zone)} for shift in first]


def _now(zone):
    return times.local(times.now(), zone)
