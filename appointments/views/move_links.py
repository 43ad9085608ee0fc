"""The page on which a patient moves a visit by the link in a mail: the free times, then one button. GET only shows."""

from datetime import date

from django.shortcuts import render
from django.utils.translation import gettext as _

from appointments import marks
from appointments.online import times_to_move, visit_links
from appointments.views.links import seen_on
from clinic import times
from clinic.errors import RuleBroken
from patients.link_pages import BirthDateForm, behind_link, gone

LINK_IS_NO_GOOD = {"link_dead", "wrong_status"}


@behind_link(visit_links.find)
def move(request, token, link, visit):
    return _move(request, token, link, visit) if request.method == "POST" else _show(request, token, visit)


def _move(request, token, link, visit):
    born = BirthDateForm(request.POST)
    to, seen = _chosen(request.POST), seen_on(request.POST)
    if to is None or seen is None:
        return _show(request, token, visit, born=born, problem=_("Choose a time."), status=400)
    if not born.is_valid():
        return _show(request, token, visit, born=born, chosen=to, status=400)
    try:
        moved = visit_links.move(link, visit, to, seen=seen, born_on=born.cleaned_data["born_on"])
    except RuleBroken as refused:
        if refused.code in LINK_IS_NO_GOOD:
            return gone(request)
        if "born_on" in refused.fields:
            born.add_error("born_on", refused.message)
            return _show(request, token, visit, born=born, chosen=to, status=400)
        fresh = visit_links.find(token)
        if fresh is None:
            return gone(request)
        return _show(request, token, fresh[1], problem=_said(refused), status=409)
    context = {"visit": moved, "when": times.spoken(moved.starts_at, moved.location.time_zone), "token": token}
    return render(request, "appointments/links/moved.html", context)


def _said(refused) -> str:
    """Without a word of who or what took the time."""
    if refused.code == "too_late":
        return _("It is too late to move this visit here. Please call us.")
    if refused.code == "changed_meanwhile":
        return _("Your visit was changed meanwhile. This is how it stands now.")
    return _("This time has just been taken. Your visit stays as it was. These times are still free.")


def _chosen(given) -> marks.Mark | None:
    try:
        chosen = marks.read(given.get("to", ""))
    except RuleBroken:
        return None
    return chosen if chosen.location else None


def _day(given) -> date:
    try:
        return date.fromisoformat(given.get("from", "")[:10])
    except ValueError:
        return date.min


def _show(request, token, visit, *, born=None, chosen=None, problem="", status=200):
    given = request.POST if request.method == "POST" else request.GET
    anybody = given.get("with") == "anybody"
    may_move = visit_links.may_move(visit)
    page = times_to_move.page(visit, _day(given), anybody=anybody) if may_move else None
    context = {
        "token": token,
        "visit": visit,
        "when": times.spoken(visit.starts_at, visit.location.time_zone),
        "page": page,
        "anybody": anybody,
        "from": given.get("from", ""),
        "chosen": str(chosen) if chosen else "",
        "chosen_day": chosen and times.day_of(chosen.starts_at, visit.location.time_zone),
        "born": born or BirthDateForm(),
        "problem": problem,
    }
    return render(request, "appointments/links/move.html", context, status=status)
