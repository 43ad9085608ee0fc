"""The frame of a patient's page: other packages hang their visits, evaluations and plans into it, from `apps.py`.

A provider sees the patient and the user, and answers only with what this user may see.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import reverse


@dataclass(frozen=True)
class Entry:
    """One thing that happened, or will, on the time line."""

    at: datetime
    title: str
    text: str = ""
    url: str = ""
    icon: str = ""
    status: str = ""


@dataclass(frozen=True)
class Action:
    label: str
    url_name: str
    action: str
    icon: str = ""
    query: Callable | None = None


@dataclass(frozen=True)
class Panel:
    template_name: str
    context: Callable
    action: str


_providers: list[Callable] = []
_actions: list[Action] = []
_panels: list[Panel] = []


def add_timeline(provider: Callable[..., Iterable[Entry]]) -> None:
    """`provider(patient, user)` yields entries in any order."""
    _providers.append(provider)


def add_action(label: str, url_name: str, *, action: str, icon: str = "", query: Callable | None = None) -> None:
    """A button to `reverse(url_name)?patient=ID`; `query(patient)` adds more to the address."""
    _actions.append(Action(label, url_name, action, icon, query))


def add_panel(template_name: str, context: Callable, *, action: str) -> None:
    """A panel of its own, rendered with `context(patient, user)`; left out when that is None."""
    _panels.append(Panel(template_name, context, action))


def timeline(patient, user) -> list[Entry]:
    """Everything, latest first."""
    return sorted((entry for provider in _providers for entry in provider(patient, user)), key=_at, reverse=True)


def _at(entry):
    return entry.at


def actions(patient, may: set[str]) -> list[dict]:
    """The buttons; `may` is what `sight.allowed` said of this person and patient."""
    shown = []
    for entry in reversed(_actions):  # upper packages are made ready first; their buttons come last
        if entry.action in may:
            query = {"patient": patient.pk, **(entry.query(patient) if entry.query else {})}
            url = f"{reverse(entry.url_name)}?{urlencode(query)}"
            shown.append({"label": entry.label, "icon": entry.icon, "url": url})
    return shown


def panels(patient, request, may: set[str]) -> list[str]:
    """The rendered panels; each template has its own context, `patient`, `may` and the request."""
    shown = []
    for entry in _panels:
        context = entry.context(patient, request.user) if entry.action in may else None
        if context is not None:
            shown.append(render_to_string(entry.template_name, {"patient": patient, "may": may, **context}, request))
    return shown
