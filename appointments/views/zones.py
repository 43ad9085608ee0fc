"""Another time zone for a clinic: what it does to the visits ahead is shown before it is done."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from appointments.timetable import absences, zone_change
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
    status, shifts, away = 200, None, None
    if asked is not None and form.is_valid():
        zone = form.cleaned_data["time_zone"]
        try:
            shifts, away = zone_change.plan(place, zone), absences.at(place)
            if request.method == "POST":
                zone_change.change(place, zone, by=request.user, reason=form.cleaned_data["reason"])
                messages.success(request, _said(place, zone, len(shifts), away))
                return redirect("setup-clinic", place.slug)
        except RuleBroken as refused:
            say(form, _at_form(refused))
            status = refused.status
    elif asked is not None:
        status = 400
    context = {"place": place, "form": form, "shifts": _shown(shifts, asked), "now": _now(place.time_zone)}
    context["away"] = _shown_away(place, asked, away)
    context["faults"] = sum(bool(row["shift"].fault) for row in context["shifts"] or ())
    return setup_pages.render(request, "appointments/zone.html", context, status=status)


def _said(place, zone, count, away):
    said = [f"{place} is on the clock of {zone} now."]
    if count:
        said.append(f"{count} visit{'' if count == 1 else 's'} ahead keep their clock time.")
    if count := len(away.own):
        said.append(f"So do{'es' if count == 1 else ''} {count} absence{'' if count == 1 else 's'}.")
    if away.shared:
        names = ", ".join(dict.fromkeys(one.practitioner.name for one, _ in away.shared))
        said.append(f"Absences of those who work elsewhere too stay as they are. Look at them: {names}.")
    return " ".join(said)


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


def _shown_away(place, asked, away):
    """Those that stay first: somebody has to look at them."""
    if away is None:
        return None
    new = asked["time_zone"]
    rows = [*away.shared, *((one, []) for one in away.own)]
    return [
        {"off": one, "elsewhere": elsewhere, "starts": times.local(one.starts_at, place.time_zone),
         "ends": times.local(one.ends_at, place.time_zone), "new_starts": times.local(one.starts_at, new),
         "new_ends": times.local(one.ends_at, new)}
        for one, elsewhere in rows
    ]  # fmt: skip


def _now(zone):
    return times.local(times.now(), zone)
