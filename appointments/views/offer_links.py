"""The page behind the link in an offer: take the time, decline it, or leave the list. GET only shows."""

from django.shortcuts import render

from appointments.models import Offer
from appointments.waiting import offer_mails, offers
from clinic import times, tokens
from clinic.errors import RuleBroken
from patients.link_pages import behind_link

STEPS = {
    "accept": lambda offer: offers.accept(offer, by=None, by_whom="patient"),
    "decline": lambda offer: offers.decline(offer, by=None, by_whom="patient"),
    "leave": lambda offer: offers.take_off(offer.entry, by=None, by_whom="patient", reason="By the link in a mail"),
}


def _find(token):
    link = tokens.find_link(token, purpose="offer")
    found = link and _offer(link.about_id)
    return (link, found) if found else None


@behind_link(_find, patient="entry.patient")
def offer(request, token, link, found):
    if request.method != "POST":
        return _show(request, found)
    act = STEPS.get(request.POST.get("step"))
    if act is None:
        return _show(request, found, status=400)
    try:
        act(found)
    except RuleBroken as refused:
        return _show(request, _offer(found.pk), refused=refused.message, status=refused.status)
    return _show(request, _offer(found.pk))


def _offer(pk):
    rows = Offer.objects.select_related(
        "entry__patient", "entry__sooner_than__location", "location", "practitioner__user", "visit__location"
    )
    return rows.filter(pk=pk).first()


def _show(request, shown, refused="", status=200):
    zone = shown.location.time_zone
    sooner = shown.entry.sooner_than
    context = {
        "offer": shown,
        "is_standing": offers.is_standing(shown),
        "kept": offer_mails.kept_until(shown),
        "is_waiting": shown.entry.is_waiting,
        "why_gone": offers.why_gone(shown),
        "refused": refused,
        "when": times.spoken(shown.starts_at, zone),
        "sooner_than": times.spoken(sooner.starts_at, sooner.location.time_zone) if sooner else "",
    }
    return render(request, "appointments/links/offer.html", context, status=status)
