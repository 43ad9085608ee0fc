"""Who works here: the list, an invitation, and the page of one person with the roles held."""

from django.contrib import messages
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.errors import RuleBroken
from clinic.models import User
from clinic.policy import requires
from locations import access, kept_times, setup_pages, staffing
from locations.forms import InviteForm, RoleForm, say
from locations.kept_times import TimesKept
from locations.models import StaffAssignment


def _seen(user):
    """People with a role at one of the user's clinics; everybody for the whole group."""
    ids = access.location_ids(user, "staff.change")
    everybody = User.objects.order_by("full_name", "pk")
    found = everybody if ids is None else everybody.filter(assignments__location__in=ids).distinct()
    held = StaffAssignment.objects.select_related("location").order_by("role", "location__name")
    return found.prefetch_related(Prefetch("assignments", held), "invitations")


def _roles(person):
    """[(role, places)] as a list shows them."""
    found = {}
    for one in person.assignments.all():
        found.setdefault(one.get_role_display(), []).append(one.location.name if one.location else "whole group")
    return list(found.items())


@require_GET
@requires("staff.change")
def listing(request):
    rows = [
        {"person": person, "roles": _roles(person), "waits": not person.has_usable_password()}
        for person in _seen(request.user)
    ]
    return setup_pages.render(request, "locations/people.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@requires("staff.change")
def invite(request):
    form = InviteForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            person = staffing.invite(by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, f"{person} is invited: the mail leaves within a minute.")
            return redirect("setup-people")
    return setup_pages.render(request, "locations/person_new.html", {"form": form})


def _person(request, pk):
    return get_object_or_404(_seen(request.user), pk=pk)


@require_GET
@requires("staff.change")
def person(request, pk):
    return _page(request, _person(request, pk))


def _page(request, person_, status=200, **bound):
    mine = access.location_ids(request.user, "staff.change")
    held = [
        {"held": one, "may_take": mine is None or (one.role in staffing.GIVEN_BY_MANAGERS and one.location_id in mine)}
        for one in person_.assignments.all()
    ]
    context = {
        "person": person_,
        "held": held,
        "form": RoleForm(user=request.user),
        "waits": not person_.has_usable_password(),
        "is_me": person_ == request.user,
        **bound,
    }
    return setup_pages.render(request, "locations/person.html", context, status=status)


def _change(request, person_, rule, said):
    """Ask the rule; a refusal is said on the page of the person."""
    try:
        rule()
    except TimesKept as refused:
        return setup_pages.ask_first(request, refused, reverse("setup-person", args=[person_.pk]))
    except RuleBroken as refused:
        return _page(request, person_, refused.status, problem=refused.message)
    messages.success(request, said)
    return redirect("setup-person", person_.pk)


@require_POST
@requires("staff.change")
def give_role(request, pk):
    person_ = _person(request, pk)
    form = RoleForm(request.POST, user=request.user)
    if form.is_valid():
        data = form.cleaned_data
        try:
            staffing.give_roles(person_, data["role"], data["locations"], by=request.user)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, f"{person_} has the role from now on.")
            return redirect("setup-person", pk)
    return _page(request, person_, 400, form=form)


@require_POST
@requires("staff.change")
def take_role(request, pk):
    found = get_object_or_404(
        StaffAssignment.objects.select_related("user", "location").filter(user__in=_seen(request.user)), pk=pk
    )
    person_ = _person(request, found.user_id)
    return _change(request, person_, lambda: staffing.take_role(found, by=request.user), "The role is taken away.")


@require_POST
@requires("staff.change")
def state(request, pk):
    person_ = _person(request, pk)
    is_active = request.POST.get("do") == "enable"
    said = f"{person_} can {'sign in again' if is_active else 'no longer sign in'}."
    agreed = kept_times.agreed_in(request.POST)
    return _change(
        request,
        person_,
        lambda: staffing.set_active(person_, is_active=is_active, by=request.user, agreed=agreed),
        said,
    )


@require_POST
@requires("staff.change")
def invite_again(request, pk):
    person_ = _person(request, pk)
    said = f"{person_} is invited again: the mail leaves within a minute."
    return _change(request, person_, lambda: staffing.invite_again(person_, by=request.user), said)
