"""The tabs of the setup pages. Packages add theirs in `apps.py`: lower ones never name upper ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.shortcuts import render as render_page
from django.urls import reverse

from clinic import times
from locations import access
from locations.kept_times import TimesKept

MOST_SHOWN = 50  # rows of a kind

_tabs = []
_ways_on: list[Callable] = []


@dataclass(frozen=True)
class Tab:
    label: str
    url_name: str
    action: str
    order: int
    also: tuple[str, ...] = ()


def add(label: str, url_name: str, *, action: str, order: int, also: tuple[str, ...] = ()) -> None:
    """`action` is the row of the access table that lets a person see the tab; its pages are below its own address, and
    `also` below these.
    """
    _tabs.append(Tab(label, url_name, action, order, also))
    _tabs.sort(key=lambda tab: tab.order)


def add_way_on(way: Callable) -> None:
    """`way(place, user)` gives label, url and what is `said` of a page about a clinic, or None where there is none."""
    _ways_on.append(way)


def ways_on(place, user) -> list[dict]:
    """Pages of the packages above about one clinic."""
    return [found for way in _ways_on if (found := way(place, user))]


def tabs(request) -> list[dict]:
    """The tabs this person may open; the one that the page belongs to is marked."""
    shown = []
    for tab in _tabs:
        if access.can(request.user, tab.action):
            url = reverse(tab.url_name)
            shown.append({"label": tab.label, "url": url, "is_here": request.path.startswith((url, *tab.also))})
    return shown


def render(request, template_name: str, context: dict, *, status: int = 200):
    """A setup page, with its tabs."""
    return render_page(request, template_name, {"setup_tabs": tabs(request), **context}, status=status)


def ask_first(request, refused: TimesKept, back: str):
    """What the change would hit, with a button that makes it all the same: nothing that was typed is lost.

    The offers shown go along as `agreed`: one that is made meanwhile is shown before it ends too.
    """
    context = {
        "said": refused.message,
        "offers": _spoken(refused.in_the_way["offers"]),
        "visits": _spoken(refused.in_the_way["visits"])[:MOST_SHOWN],
        "more_visits": max(0, len(refused.in_the_way["visits"]) - MOST_SHOWN),
        "typed": [(name, value) for name, values in request.POST.lists() for value in values if name not in _OURS],
        "agreed": [row["id"] for row in refused.in_the_way["offers"]],
        "back": back,
    }
    return render(request, "locations/kept_times.html", context, status=refused.status)


_OURS = {"csrfmiddlewaretoken", "agreed"}


def _spoken(rows: list[dict]) -> list[dict]:
    return [{**row, "when": times.spoken(datetime.fromisoformat(row["starts_at"]), row["time_zone"])} for row in rows]
