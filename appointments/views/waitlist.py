"""The waitlist for the desk: who waits and why in this order, offers by hand, and what became of each."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.models import Offer, WaitlistEntry
from appointments.waiting import matching, offers, waitlist, waitlist_page
from appointments.waiting.waitlist_forms import AnswerOffer, EntryForm, FilterWaitlist, OfferTime, TakeOff
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access
from locations.current import choices, current
from patients.models import Patient

SHOWN, SOONEST = 50, 8


@require_GET
@requires("appointment.read")
def listing(request):
    form = FilterWaitlist(request.GET, places=choices(request.user), here=current(request))
    asked, state = form.asked(), form.shown_state
    page = Paginator(waitlist_page.entries(request.user, state=state, **asked), SHOWN).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "state": state,
        "tabs": [(name, label, _tab(request, name)) for name, label in waitlist_page.STATES.items()],
        "counts": waitlist_page.counts(request.user, **asked),
        "page": page,
        "rows": waitlist_page.rows(page.object_list, request.user),
        "query": query.urlencode(),
        "may_change": access.can(request.user, "appointment.create"),
    }
    return render(request, "appointments/waitlist.html", context)


def _tab(request, state):
    query = request.GET.copy()
    query.pop("page", None)
    query["state"] = state
    return query.urlencode()


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def new(request):
    patient = _patient(request)
    form = EntryForm(request.POST or None, user=request.user, patient=patient, initial=_from_query(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = waitlist.add(
                patient, form.asked(), by=request.user, sooner_than=form.cleaned_data.get("sooner_than")
            )
        except RuleBroken as broken:
            form.refuse(broken)
        else:
            messages.success(request, f"{patient} is on the waitlist.")
            return redirect("waitlist-entry", made.pk)
    status = 400 if form.is_bound else 200
    return render(request, "appointments/waitlist_form.html", {"form": form, "patient": patient}, status=status)


def _patient(request):
    value = request.POST.get("patient") or request.GET.get("patient") or ""
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise BadRequest("Say who waits: open it from the patient's page.")
    return get_object_or_404(Patient.objects.visible_to(request.user, "appointment.create"), pk=int(value))


def _from_query(request):
    """What was looked for in vain on the booking page; nonsense is not taken over."""
    given = {name: request.GET.get(name) for name in ("type", "from_day", "within") if request.GET.get(name)}
    if place := request.GET.get("location"):
        given["locations"] = [place]
    if (person := request.GET.get("practitioner", "")).isdecimal():
        given["practitioners"] = [person]
    return given


@require_GET
@requires("appointment.read")
def entry(request, pk):
    return _show(request, _entry(request, pk, "appointment.read"))


def _entry(request, pk, action="appointment.create"):
    return get_object_or_404(WaitlistEntry.objects.visible_to(request.user, action).with_wishes(), pk=pk)


def _show(request, found, refused=None, status=200):
    """The page of an entry, with the soonest times while it waits without an offer."""
    row = waitlist_page.row(found.pk, request.user)
    may_change = found.is_waiting and access.can(request.user, "appointment.create")
    elsewhere = row.entry.open_offer
    context = {
        "row": row,
        "entry": row.entry,
        "patient": row.entry.patient,
        "lines": [line for line in row.offers if not line.is_standing],
        "is_offered": bool(row.offer or (elsewhere and offers.is_standing(elsewhere))),
        "times": _times(request, row.entry) if may_change and not row.offer else [],
        "may_change": may_change,
        "sooner_than": _spoken(row.entry.sooner_than),
        "refused": refused,
    }
    return render(request, "appointments/waitlist_entry.html", context, status=status)


def _spoken(visit):
    return times.spoken(visit.starts_at, visit.location.time_zone) if visit else ""


def _times(request, found):
    """The soonest free times within the wishes, where the user may book; also such as leave no time to ask."""
    mine = access.location_ids(request.user, "appointment.create")
    places = [place for place in found.places if mine is None or place.pk in mine]
    slots = matching.soonest(found, places, limit=SOONEST, to_answer=False)
    return [{"slot": slot, "value": _value(slot)} for slot in slots]


def _value(slot):
    return f"{slot.starts_at.isoformat()}|{slot.location.slug}|{slot.practitioner.pk}"


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def edit(request, pk):
    found = _entry(request, pk)
    form = EntryForm(request.POST or None, user=request.user, patient=found.patient, entry=found)
    if request.method == "POST" and form.is_valid():
        try:
            waitlist.change(found, form.asked(), by=request.user)
        except RuleBroken as broken:
            form.refuse(broken)
        else:
            messages.success(request, f"Changed; {found.patient} keeps the place in the order.")
            return redirect("waitlist-entry", pk)
    context = {"form": form, "patient": found.patient, "entry": found}
    return render(request, "appointments/waitlist_form.html", context, status=400 if form.is_bound else 200)


@require_POST
@requires("appointment.create")
def take_off(request, pk):
    found = _entry(request, pk)
    form = TakeOff(request.POST)
    if not form.is_valid():
        return _show(request, found, " ".join(form.errors["reason"]), status=400)
    try:
        offers.take_off(found, by=request.user, reason=form.cleaned_data["reason"])
    except RuleBroken as broken:
        return _show(request, found, broken.message, status=broken.status)
    messages.success(request, f"{found.patient} is off the list.")
    return redirect("waitlist-entry", pk)


@require_http_methods(["GET", "POST"])
@requires("appointment.create")
def offer(request, pk):
    """A chosen time: offer it to this patient, or to a few who could have it, or book it at once."""
    found = _entry(request, pk)
    form = OfferTime(request.POST or request.GET, user=request.user, type=found.type)
    if not form.is_valid():
        said = " ".join(error for errors in form.errors.values() for error in errors)
        return _show(request, found, said, status=400 if request.method == "POST" or request.GET else 200)
    slot = form.cleaned_data["slot"]
    refused, nearest, status = "", [], 200
    if request.method == "POST":
        try:
            said = _book(request, found, slot) if "book" in request.POST else _offer(request, form, slot)
        except RuleBroken as broken:
            refused, nearest, status = broken.message, broken.nearest, broken.status
        else:
            messages.success(request, said)
            return redirect("waitlist-entry", pk)
    ticked = {one.pk for one in form.cleaned_data["entries"]} if request.method == "POST" else {pk}
    rules = offers.rules_of(slot.location)
    context = {
        "entry": found,
        "patient": found.patient,
        "slot": slot,
        "value": _value(slot),
        "when": times.spoken(slot.starts_at, slot.location.time_zone),
        "candidates": [
            {"one": one, "is_ticked": one.entry.pk in ticked}
            for one in matching.who_could_have(slot, found.type, request.user)
        ],
        "minutes": form.cleaned_data["minutes"] or rules.minutes,
        "refused": refused,
        "nearest": [{"slot": one, "value": _value(one)} for one in nearest],
    }
    return render(request, "appointments/waitlist_offer.html", context, status=status)


def _book(request, found, slot):
    offers.book(found, slot, by=request.user)
    return f"Booked for {found.patient}: {times.spoken(slot.starts_at, slot.location.time_zone)}."


def _offer(request, form, slot):
    chosen = list(form.cleaned_data["entries"])
    if not chosen:
        raise RuleBroken("Tick at least one whom to offer it to.", code="nobody", status=400)
    minutes = form.cleaned_data["minutes"] or offers.rules_of(slot.location).minutes
    made = offers.make(chosen, slot, minutes=minutes, by=request.user)
    until = times.spoken(made[0].expires_at, slot.location.time_zone, year=False)
    names = ", ".join(str(one.entry.patient) for one in made)
    wait = int(offers.GRACE.total_seconds() // 60)
    return f"Offered to {names}, and held until {until}. The mail goes out in {wait} minutes."


@require_POST
@requires("appointment.create")
def answer(request, pk):
    """What the patient said on the phone, or the clinic takes the offer back."""
    rows = Offer.objects.visible_to(request.user, "appointment.create")
    found = get_object_or_404(rows.select_related("entry__patient", "location", "practitioner__user"), pk=pk)
    form = AnswerOffer(request.POST)
    if not form.is_valid():
        raise BadRequest("There is no such answer.")
    try:
        said = ANSWERS[form.cleaned_data["step"]](found, request.user)
    except RuleBroken as broken:
        return _show(request, _entry(request, found.entry_id), broken.message, status=broken.status)
    messages.success(request, said)
    return redirect("waitlist-entry", found.entry_id)


def _accept(found, user):
    visit = offers.accept(found, by=user)
    return f"Booked for {found.entry.patient}: {_spoken(visit)}."


def _decline(found, user):
    offers.decline(found, by=user)
    return f"{found.entry.patient} declined and keeps the place."


def _take_back(found, user):
    offers.take_back(found, by=user)
    return f"Taken back from {found.entry.patient}, who keeps the place."


ANSWERS = {"accept": _accept, "decline": _decline, "take-back": _take_back}
