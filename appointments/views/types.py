"""Types of visit: the list, a new one, and the page of one."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import visit_types
from appointments.models import AppointmentType
from appointments.type_forms import TypeForm
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import setup_pages
from locations.forms import say
from locations.models import Location, Room


@require_GET
@requires("type.change")
def listing(request):
    context = {"types": AppointmentType.objects.all()}
    return setup_pages.render(request, "appointments/types.html", context)


@require_http_methods(["GET", "POST"])
@requires("type.change")
def new(request):
    form = TypeForm(request.POST or None, initial={"minutes": 30, "least_minutes": 15, "most_minutes": 60})
    if request.method == "POST" and form.is_valid():
        try:
            made = visit_types.create(by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, f"{made} can be booked from now on.")
            return redirect("setup-types")
    context = {"form": form, "type": None}
    return setup_pages.render(request, "appointments/type.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("type.change")
def edit(request, slug):
    found = get_object_or_404(AppointmentType, slug=slug)
    form = TypeForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        try:
            visit_types.amend(found, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, "Saved. It holds for what is booked from now on.")
            return redirect("setup-types")
    return _page(request, found, form, 400 if form.errors else 200)


def _page(request, found, form, status=200, **more):
    rooms = Room.objects.filter(kind=found.room_kind, is_open=True).values("location")
    without = Location.objects.filter(is_open=True).exclude(pk__in=rooms)
    context = {"form": form, "type": found, "without": without, **more}
    return setup_pages.render(request, "appointments/type.html", context, status=status)


@require_POST
@requires("type.change")
def delete(request, slug):
    found = get_object_or_404(AppointmentType, slug=slug)
    try:
        visit_types.delete(found, by=request.user)
    except RuleBroken as refused:
        return _page(request, found, TypeForm(instance=found), refused.status, problem=refused.message)
    messages.success(request, f"{found} is deleted.")
    return redirect("setup-types")
