"""What other packages offer on the page of a visit: templates, registered in `apps.py`, that get `appointment`."""

from dataclasses import dataclass

from locations import access

_actions = []


@dataclass(frozen=True)
class VisitAction:
    template_name: str
    action: str


def add(template_name: str, *, action: str) -> None:
    """`action` is the row of the access table that lets a person see the include."""
    _actions.append(VisitAction(template_name, action))


def templates(user, location) -> list[str]:
    return [a.template_name for a in _actions if access.can(user, a.action, location)]
