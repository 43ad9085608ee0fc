"""The tabs of the setup pages. Packages add theirs in `apps.py`: lower ones never name upper ones."""

from collections.abc import Callable
from dataclasses import dataclass

from django.shortcuts import render as render_page
from django.urls import reverse

from locations import access

_tabs = []
_ways_on: list[Callable] = []


@dataclass(frozen=True)
class Tab:
    label: str
    url_name: str
    action: str
    order: int


def add(label: str, url_name: str, *, action: str, order: int) -> None:
    """`action` is the row of the access table that lets a person see the tab."""
    _tabs.append(Tab(label, url_name, action, order))
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
            shown.append({"label": tab.label, "url": url, "is_here": request.path.startswith(url)})
    return shown


def render(request, template_name: str, context: dict, *, status: int = 200):
    """A setup page, with its tabs."""
    return render_page(request, template_name, {"setup_tabs": tabs(request), **context}, status=status)
