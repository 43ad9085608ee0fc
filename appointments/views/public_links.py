"""The page behind the link in the mail to somebody who booked on the public page. GET only shows."""

from appointments import marks
from appointments.mails import letters
from appointments.online import public_booking, public_times
from appointments.views.public import gone, page, public
from clinic import times
from clinic.errors import RuleBroken
from patients import self_check
from patients.link_pages import by_token


@by_token
@public
def confirm(request, token):
    found = public_booking.find(token)
    if found is None:
        return _again(request, token)
    link, asked = found
    step = request.POST.get("step") if request.method == "POST" else None
    if step == "book":
        return _book(request, token, link, asked)
    if step == "drop":
        public_booking.drop(link, asked)
        return page(request, "dropped", {"place": asked.location})
    return _show(request, asked, status=200 if request.method != "POST" else 400)


def _again(request, token):
    """What came of it, to a button that was pressed twice; to all else the page that tells nothing."""
    step = request.POST.get("step") if request.method == "POST" else None
    if step == "book" and (visit := public_booking.booked_just_now(token)):
        return _booked(request, visit)
    if step == "drop" and public_booking.was_dropped_just_now(token):
        return page(request, "dropped", {})
    return gone(request)


def _book(request, token, link, asked):
    """At the time that was held, or at the one chosen instead of it."""
    chosen = request.POST.get("slot", "")
    try:
        slot = public_times.offered(asked.type, marks.read(chosen)) if chosen else None
        if chosen and slot is None:
            raise RuleBroken("This time was taken a moment ago.", code="slot_taken")
        visit = public_booking.confirm(link, asked, slot=slot)
    except RuleBroken as refused:
        if refused.code == "link_dead":
            return _again(request, token)
        if refused.code == "already_booked":
            return _show(request, asked, refused=refused.message, status=409)
        return _show(request, asked, is_lost=True, status=409)
    return _booked(request, visit)


def _booked(request, visit):
    url = letters.link("visit-link", purpose="visit", on=visit, expires_at=visit.ends_at)
    when = times.spoken(visit.starts_at, visit.location.time_zone)
    return page(request, "booked", {"visit": visit, "when": when, "url": url, "asked": visit.booking_request})


def _show(request, asked, *, is_lost=False, refused="", status=200):
    zone = asked.location.time_zone
    is_held = asked.hold is not None and asked.hold.held_until > times.now()
    mark = marks.Mark(asked.starts_at, asked.location.slug, asked.practitioner_id)
    is_lost = is_lost or not (is_held or refused or public_times.offered(asked.type, mark))
    context = {
        "asked": asked,
        "when": times.spoken(asked.starts_at, zone),
        "held_until": times.spoken(asked.hold.held_until, zone, year=False) if is_held else "",
        "is_lost": is_lost,
        "nearest": public_times.nearest(asked.type, asked.location, asked.starts_at) if is_lost else [],
        "refused": refused,
        "present": self_check.present(asked.indicators),
        "answered": len(asked.indicators),
        "of": len(self_check.INDICATORS),
    }
    return page(request, "confirm", context, status=status)
