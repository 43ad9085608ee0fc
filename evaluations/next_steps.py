"""What can follow a signed evaluation. Upper packages add their step in `apps.py`; this one never names them."""

from dataclasses import dataclass

from django.urls import reverse

from locations import access

_steps = []


@dataclass(frozen=True)
class Step:
    label: str
    url_name: str
    action: str


def add(label: str, url_name: str, *, action: str) -> None:
    """`action` is the row of the access table that lets a person see the step."""
    step = Step(label, url_name, action)
    if step not in _steps:
        _steps.append(step)


def of(evaluation, user) -> list[dict]:
    """The steps that the user may take, as label and address; none of one that is not in force."""
    if not evaluation.is_in_force:
        return []
    return [
        {"label": step.label, "url": f"{reverse(step.url_name)}?evaluation={evaluation.pk}"}
        for step in _steps
        if access.can(user, step.action, evaluation.location)
    ]
