"""The public pages: find a time, say who comes, and book it by the link in a mail. They work without script.

GET changes nothing. Nobody is looked up before the mail: the pages are the same for a stranger and for a patient.
"""

from datetime import date
from functools import wraps

from django.conf import settings
from django.core import signing
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments import marks
from appointments.marks import Mark
from appointments.online import public_booking, public_forms, public_times
from appointments.online.public_booking import Asked
from appointments.online.public_forms import DetailsForm, SelfCheckForm
from clinic import page_rates, policy, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations.models import Location
from patients import consent_texts, languages, self_check

SALT = "book.sent"


def public(view):
    """In the language that was chosen on the page, else that of the browser; and not too often from one network."""

    @wraps(view)
    def guarded(request, *args, **parts):
        chosen = request.GET.get("lang", "")
        chosen = chosen if chosen in languages.SPOKEN else ""
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            is_allowed = page_rates.allows(request, "sent" if request.method == "POST" else "seen")
            answer = view(request, *args, **parts) if is_allowed else too_many(request)
        if chosen:
            answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, samesite="Lax", secure=request.is_secure())
        answer["Cache-Control"] = "no-store"
        return answer

    return guarded


def page(request, name, context, status=200):
    context |= {"other_language": _other(request)}
    return render(request, f"appointments/book/{name}.html", context, status=status)


def _other(request) -> dict | None:
    """The link to the same page in the other language; none where something was typed, which it would lose."""
    if request.method == "POST":
        return None
    code = next(code for code in languages.SPOKEN if code != translation.get_language())
    return {"code": code, "name": languages.SPOKEN[code], "query": urlencode({**request.GET.dict(), "lang": code})}


def too_many(request):
    places = Location.objects.filter(is_open=True).exclude(phone="")
    return page(request, "too_many", {"places": places}, status=429)


def gone(request):
    return page(request, "gone", {}, status=410)


@requires(policy.PUBLIC)
@require_http_methods(["GET", "HEAD"])
@public
def choose(request):
    """The soonest time of each clinic, or the free times of one."""
    types, whom = public_times.types(), public_times.people()
    at = public_times.places(whom)
    type = next((one for one in types if one.slug == request.GET.get("type")), types[0] if types else None)
    place = next((one for one in at if one.slug == request.GET.get("at")), None)
    from_day, problem = _day(request.GET.get("from", ""))
    if request.GET.get("at") and place is None:
        problem = _("This clinic takes no bookings here. These do.")
    context = {"types": types, "type": type, "places": at, "place": place, "problem": problem, "from": from_day}
    if type and place:
        context["page"] = public_times.page(type, place, whom, from_day=from_day, after=_mark(request.GET.get("after")))
    elif type:
        context["soonest"] = public_times.soonest(type, at, whom)
    return page(request, "choose", context)


def _day(said: str) -> tuple[date | None, str]:
    try:
        day = date.fromisoformat(said) if said else None
    except ValueError:
        day = date.min
    if day and not 2000 <= day.year < 2099:
        return None, _("There is no such day. These are the first times.")
    return day, ""


def _mark(said: str | None) -> Mark | None:
    try:
        return marks.read(said) if said else None
    except RuleBroken:
        return None


@requires(policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
@public
def details(request):
    """Who comes to the time that was chosen. Sent, it holds the time and owes the mail."""
    given = request.POST if request.method == "POST" else request.GET
    type = next((one for one in public_times.types() if one.slug == given.get("type")), None)
    mark = _mark(given.get("slot"))
    if type is None or mark is None or not mark.location:
        return redirect("book")
    place = Location.objects.filter(slug=mark.location, is_open=True).first()
    if place is None:
        return redirect("book")
    slot = public_times.offered(type, mark)
    form = DetailsForm(request.POST if request.method == "POST" else None, place=place)
    if request.method == "POST":
        return _send(request, form, type, mark, slot)
    return _details(request, form, type, mark, slot)


def _send(request, form, type, mark, slot):
    is_right = form.is_valid()
    if form.emergencies:
        return _details(request, form, type, mark, slot, emergencies=form.emergencies)
    if not is_right:
        return _details(request, form, type, mark, slot, status=400)
    try:
        made = public_booking.ask(_asked(request, form, type, mark, slot))
    except RuleBroken as refused:
        if refused.code == "too_many":
            return too_many(request)
        if refused.code == "form_used":
            form.use_anew()
            return _details(request, form, type, mark, slot, status=409)
        return _details(request, form, type, mark, None, status=409)
    shown = {"place": made.location.slug, "at": made.starts_at.isoformat(), "asked_at": made.asked_at.isoformat(),
             "held": made.hold is not None}  # fmt: skip
    return redirect(f"{reverse('book-sent')}?{urlencode({'s': signing.dumps(shown, salt=SALT)})}")


def _asked(request, form, type, mark, slot) -> Asked:
    said = form.cleaned_data
    names = ("given_name", "family_name", "birth_date", "email", "booked_by", "heard_from")
    return Asked(
        form_key=form.key, type=type, slot=slot, mark=mark, phone=str(said["phone"]),
        language=translation.get_language(), wants_mails=said["wants_mails"] == "yes",
        network=page_rates.hashed_network(request), indicators=form.answers,
        **{name: said[name] for name in names},
    )  # fmt: skip


def _details(request, form, type, mark, slot, *, status=200, emergencies=()):
    place = form.place
    consent = consent_texts.current(place.today())
    context = {
        "form": form,
        "type": type,
        "place": place,
        "slot": slot,
        "when": times.spoken(mark.starts_at, place.time_zone),
        "nearest": [] if slot else public_times.nearest(type, place, mark.starts_at),
        "stamp": form.stamp or public_forms.stamp(),
        "emergencies": emergencies,
        "consent": consent.document(patient="", place=place.name, thrust=False),
        "consent_language": consent.language,
    }
    return page(request, "details", context, status=status)


@requires(policy.PUBLIC)
@require_http_methods(["GET", "HEAD"])
@public
def sent(request):
    """What to do now. The address holds the time that was chosen and nothing of the person."""
    try:
        shown = signing.loads(request.GET.get("s", ""), salt=SALT, max_age=public_booking.LINK_FOR)
    except signing.BadSignature:
        return redirect("book")
    place = Location.objects.filter(slug=shown["place"]).first()
    if place is None:
        return redirect("book")
    starts_at, asked_at = (marks.read(shown[name]).starts_at for name in ("at", "asked_at"))
    held_until = min(asked_at + public_booking.HOLD_FOR, starts_at) if shown.get("held", True) else None
    context = {
        "place": place,
        "when": times.spoken(starts_at, place.time_zone),
        "held_until": times.spoken(held_until, place.time_zone, year=False) if held_until else "",
        "until": times.spoken(asked_at + public_booking.LINK_FOR, place.time_zone, year=False),
    }
    return page(request, "sent", context)


@requires(policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
@public
def check(request):
    """The questions alone, for somebody who wonders. Nothing of it is kept."""
    form = SelfCheckForm(request.POST if request.method == "POST" else None)
    context = {"form": form, "emergencies": [], "present": None, "of": len(self_check.INDICATORS)}
    if request.method == "POST":
        if form.is_valid():
            context["present"] = self_check.present(form.answers)
        context["emergencies"] = form.emergencies
    return page(request, "check", context, status=400 if form.errors else 200)
