"""Set-up of mails: quiet hours, reminders, and which others are sent; for the group or for one clinic."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from appointments.mails import reminder_steps
from appointments.mails.mail_forms import HoursForm, PlaceForm, RuleForm, StepsForm
from appointments.models import AppointmentType, ReminderSchedule
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access, mail_hours, mail_rules, setup_pages
from locations.forms import say
from locations.models import Location


def chosen_place(request) -> Location | None:
    """The clinic in the address, or None for the group; a manager's own clinic where the group is not theirs."""
    mine = Location.objects.visible_to(request.user, "location.change")
    slug = request.GET.get("at", "").replace("\0", "?")  # PostgreSQL would refuse the question itself
    if slug:
        return get_object_or_404(mine, slug=slug)
    if access.location_ids(request.user, "location.change") is None:
        return None
    place = mine.first()
    if place is None or request.method == "POST":
        raise Http404
    return place


def _back(place):
    return redirect(reverse("setup-mails") + (f"?at={place.slug}" if place else ""))


@require_GET
@requires("location.change")
def mails(request):
    return _page(request, chosen_place(request))


def _page(request, place, status=200, **bound):
    whole = access.location_ids(request.user, "location.change") is None
    places = Location.objects.visible_to(request.user, "location.change").filter(is_open=True)
    rules = mail_rules.Rules().all_of(place.pk if place else None)
    own = mail_hours.of(place)
    context = {
        "place": place,
        "query": f"?at={place.slug}" if place else "",
        "places": PlaceForm({"at": place.slug if place else ""}, places=places, whole=whole),
        "hours": HoursForm(hours=own),
        "hours_are_own": bool(place and own.location_id == place.pk),
        "rules": [RuleForm(setting=one) for one in rules],
        "has_own_rules": bool(place) and any(one.is_own for one in rules),
        "schedules": _schedules(place),
        "steps": StepsForm(),
        "default": reminder_steps.Schedules().of(None, place.pk if place else None),
        **bound,
    }
    return setup_pages.render(request, "appointments/mails.html", context, status=status)


def _schedules(place):
    rows = ReminderSchedule.objects.filter(location=place).select_related("type").prefetch_related("steps")
    return [
        {"schedule": row, "steps": [reminder_steps.Step(s.hours_before, s.only_unconfirmed) for s in row.steps.all()]}
        for row in rows
    ]


@require_POST
@requires("location.change")
def hours(request):
    place = chosen_place(request)
    if "forget" in request.POST and place:
        mail_hours.forget(place, by=request.user)
        messages.success(request, f"{place} keeps the quiet hours of all clinics.")
        return _back(place)
    form = HoursForm(request.POST, hours=mail_hours.of(place))
    if form.is_valid():
        try:
            mail_hours.set_hours(place, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, "Saved. It holds for every mail that is not sent yet.")
            return _back(place)
    return _page(request, place, 400, hours=form)


@require_POST
@requires("location.change")
def steps(request):
    """Set the reminders of a type, or of every type without its own; `forget` takes a schedule back."""
    place = chosen_place(request)
    if place is None and access.location_ids(request.user, "type.change") is not None:
        raise PermissionDenied
    form = StepsForm(request.POST)
    if form.is_valid():
        kind: AppointmentType | None = form.cleaned_data["type"]
        if "forget" in request.POST:
            schedule = get_object_or_404(ReminderSchedule, type=kind, location=place)
            reminder_steps.forget(schedule, by=request.user)
            messages.success(request, "Taken back: the wider rule counts there.")
            return _back(place)
        try:
            reminder_steps.set_steps(form.steps(), type=kind, location=place, by=request.user)
        except RuleBroken as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, "Saved. It holds for visits that are booked already, too.")
            return _back(place)
    return _page(request, place, 400, steps=form)


@require_POST
@requires("location.change")
def rules(request):
    place = chosen_place(request)
    current = mail_rules.Rules().all_of(place.pk if place else None)
    if "forget" in request.POST and place:
        for one in current:
            mail_rules.forget(one.kind.name, place, by=request.user)
        messages.success(request, f"{place} keeps the rules of all clinics.")
        return _back(place)
    forms = [RuleForm(request.POST, setting=one) for one in current]
    faults = [form for form in forms if not form.is_valid()]  # all are asked, so that every fault is named
    if not faults:
        for form in forms:
            given = form.cleaned_data
            if (given["is_on"], given["number"]) == (form.setting.is_on, form.setting.number):
                continue
            try:
                mail_rules.set_rule(form.setting.kind.name, place, by=request.user, **given)
            except RuleBroken as refused:
                form.add_error("number", refused.message)
    if any(form.errors for form in forms):
        return _page(request, place, 400, rules=forms)
    messages.success(request, "Saved.")
    return _back(place)
