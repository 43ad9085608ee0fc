"""Setting up clinics: the list, a new one like another, and the page of one with a form for each of its parts."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access, kept_times, opening, places, rooms, setup_pages, ways
from locations.forms import AmendClinicForm, NewClinicForm, RoomForm, WayForm, say
from locations.hours_forms import SpanFormSet, grouped, spans_in
from locations.kept_times import TimesKept
from locations.models import Location, Room


def _clinic(request, slug):
    return get_object_or_404(Location.objects.visible_to(request.user, "location.change"), slug=slug)


@require_GET
@requires("hours.change")
def start(request):
    """The first tab that is theirs: clinicians set their own hours and nothing else."""
    return redirect(setup_pages.tabs(request)[0]["url"])


@require_GET
@requires("location.change")
def listing(request):
    found = Location.objects.visible_to(request.user, "location.change").prefetch_related("rooms", "opening_hours")
    rows = [
        {
            "place": place,
            "rooms": sum(room.is_open for room in place.rooms.all()),
            "has_hours": bool(place.opening_hours.all()),
            "now": times.local(times.now(), place.time_zone),
        }
        for place in found
    ]
    context = {
        "rows": rows,
        "may_create": access.can(request.user, "location.create"),
        "missing_ways": len(ways.missing(found)),
    }
    return setup_pages.render(request, "locations/clinics.html", context)


@require_http_methods(["GET", "POST"])
@requires("location.create")
def new(request):
    """One page: what it is like, its name, its address and its zone."""
    form = NewClinicForm(request.POST or None, initial={"like": request.GET.get("like") or _usual()})
    if request.method == "POST" and form.is_valid():
        try:
            place = places.found(by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, f"{place} stands. Check its hours and the ways, then enrol who works there.")
            return redirect("setup-clinic", place.slug)
    models = form.fields["like"].queryset.prefetch_related("rooms", "travel_from", "travel_to")
    copies = {place.name: places.copied(place) for place in models}
    return setup_pages.render(request, "locations/clinic_new.html", {"form": form, "copies": copies})


def _usual():
    """The clinic with the most rooms: there is most to copy from it."""
    found = Location.objects.filter(is_open=True).prefetch_related("rooms")
    return max(found, key=lambda place: len(place.rooms.all()), default=None)


@require_GET
@requires("location.change")
def clinic(request, slug):
    return _page(request, _clinic(request, slug))


def _page(request, place, status=200, **bound):
    """All forms of a clinic; `bound` are those that were just refused, with what was typed."""
    known = places.ways_from(place)
    others = Location.objects.filter(is_open=True).exclude(pk=place.pk)
    context = {
        "place": place,
        "now": times.local(times.now(), place.time_zone),
        "details": AmendClinicForm(location=place),
        "room_forms": [RoomForm(instance=room, prefix=f"room-{room.pk}") for room in place.rooms.all()],
        "new_room": RoomForm(prefix="room"),
        "hours": SpanFormSet(initial=grouped(opening.spans_of(place)), prefix="hours"),
        "ways": [WayForm(other=other, initial={"minutes": known.get(other)}) for other in others],
        "may_delete": access.can(request.user, "location.create"),
        "ways_on": setup_pages.ways_on(place, request.user),
        **bound,
    }
    if "room_form" in bound:
        context["room_forms"] = [
            bound["room_form"] if form.instance.pk == bound["room_form"].instance.pk else form
            for form in context["room_forms"]
        ]
    return setup_pages.render(request, "locations/clinic.html", context, status=status)


def _address(place):
    return reverse("setup-clinic", args=[place.slug])


def _saved(request, place, said, part):
    messages.success(request, said)
    response = redirect("setup-clinic", place.slug)
    response["Location"] += f"#{part}"
    return response


@require_POST
@requires("location.change")
def details(request, slug):
    place = _clinic(request, slug)
    form = AmendClinicForm(request.POST, location=place)
    if form.is_valid():
        try:
            places.amend(place, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            return _saved(request, place, "The address is saved.", "details")
    return _page(request, place, 400, details=form)


@require_POST
@requires("location.change")
def hours(request, slug):
    place = _clinic(request, slug)
    formset = SpanFormSet(request.POST, prefix="hours")
    problem = ""
    if formset.is_valid():
        try:
            agreed = kept_times.agreed_in(request.POST)
            opening.set_hours(place, spans_in(formset), by=request.user, agreed=agreed)
        except TimesKept as refused:
            return setup_pages.ask_first(request, refused, _address(place))
        except RuleBroken as refused:
            problem = refused.message
        else:
            return _saved(request, place, "The opening hours are saved.", "hours")
    return _page(request, place, 400, hours=formset, hours_problem=problem)


@require_POST
@requires("location.change")
def ways_from(request, slug):
    """Minutes to every other clinic at once."""
    place = _clinic(request, slug)
    others = Location.objects.filter(is_open=True).exclude(pk=place.pk)
    forms = [WayForm(request.POST, other=other) for other in others]
    wrong = [form for form in forms if not form.is_valid()]
    if not wrong:
        for form in forms:
            places.set_travel(place, form.other, form.cleaned_data["minutes"], by=request.user)
        return _saved(request, place, "The ways are saved.", "ways")
    return _page(request, place, 400, ways=forms)


@require_POST
@requires("location.change")
def room_new(request, slug):
    place = _clinic(request, slug)
    form = RoomForm(request.POST, prefix="room")
    if form.is_valid():
        try:
            room = rooms.add(place, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            return _saved(request, place, f"{room.name} is open.", "rooms")
    return _page(request, place, 400, new_room=form)


@require_POST
@requires("location.change")
def room(request, pk):
    """Rename it, change its kind, close it or open it again: which button was pressed says it."""
    here = Location.objects.visible_to(request.user, "location.change")
    found = get_object_or_404(Room.objects.select_related("location"), pk=pk, location__in=here)
    form = RoomForm(request.POST, instance=found, prefix=f"room-{pk}")
    if form.is_valid():
        try:
            said = _change_room(found, form.cleaned_data, request)
        except TimesKept as refused:
            return setup_pages.ask_first(request, refused, _address(found.location))
        except RuleBroken as refused:
            say(form, refused)
            form.shown_at = refused.shown_at
        else:
            return _saved(request, found.location, said, "rooms")
    return _page(request, found.location, 400, room_form=form)


def _change_room(found, data, request):
    do, agreed = request.POST.get("do"), kept_times.agreed_in(request.POST)
    if do in ("close", "open"):
        rooms.set_open(found, is_open=do == "open", by=request.user, agreed=agreed)
        return f"{found.name} is {'open' if do == 'open' else 'closed'}."
    rooms.amend(found, by=request.user, agreed=agreed, **data)
    return f"{data['name']} is saved."


@require_POST
@requires("location.change")
def state(request, slug):
    """Close a clinic for good or open it again."""
    place = _clinic(request, slug)
    is_open = request.POST.get("do") == "open"
    try:
        places.set_open(place, is_open=is_open, by=request.user, agreed=kept_times.agreed_in(request.POST))
    except TimesKept as refused:
        return setup_pages.ask_first(request, refused, _address(place))
    except RuleBroken as refused:
        return _page(request, place, refused.status, end_problem=refused)
    return _saved(request, place, f"{place} is {'open' if is_open else 'closed'}.", "end")


@require_POST
@requires("location.create")
def delete(request, slug):
    place = _clinic(request, slug)
    try:
        places.delete(place, by=request.user)
    except RuleBroken as refused:
        return _page(request, place, refused.status, end_problem=refused)
    messages.success(request, f"{place} is deleted.")
    return redirect("setup-clinics")
