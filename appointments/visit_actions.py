"""What other packages offer on the page of a visit: templates, registered in `apps.py`, that get `appointment`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.template.loader import render_to_string

from locations import access

_actions, _panels = [], []


@dataclass(frozen=True)
class VisitAction:
    template_name: str
    action: str


def add(template_name: str, *, action: str) -> None:
    """`action` is the row of the access table that lets a person see the include."""
    _actions.append(VisitAction(template_name, action))


def templates(user, location) -> list[str]:
    return [a.template_name for a in _actions if access.can(user, a.action, location)]


def add_panel(template_name: str, context: Callable, *, action: str) -> None:
    """A panel beside the visit, with `context(visit, user)` too; left out when that is None."""
    _panels.append((template_name, context, action))


def panels(visit, request) -> list[str]:
    """The rendered panels."""
    shown = []
    for template_name, context, action in _panels:
        if access.can(request.user, action, visit.location):
            more = context(visit, request.user)
            if more is not None:
                shown.append(render_to_string(template_name, {"appointment": visit, **more}, request))
    return shown
