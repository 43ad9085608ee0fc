"""What stands in the way of closing or deleting a place: packages above register what they know, from `apps.py`."""

from collections.abc import Callable
from typing import NamedTuple

from django.db import models

from clinic.errors import RuleBroken

_askers: list[Callable] = []


class Found(NamedTuple):
    said: str  # such as "3 visits ahead, the first on …"
    url: str  # of a page that shows them


def add(asker: Callable) -> None:
    """`asker(thing)` is given a Location or Room and yields what it found."""
    _askers.append(asker)


def refuse_if_used(thing, what: str, *, field: str) -> None:
    """Raises RuleBroken `in_the_way`. `what` begins the sentence, e.g. "Room 2 cannot be closed"."""
    if found := [one for asker in _askers for one in asker(thing)]:
        refused = _refusal(f"{what}: {'; '.join(one.said for one in found)}.", field)
        refused.shown_at = found[0].url
        raise refused


def refuse_if_kept(thing, what: str, *, field: str, but_not=()) -> None:
    """Raises RuleBroken when records point at the thing that must not lose it; `but_not` are models that may go too."""
    said = []
    for relation in thing._meta.related_objects:
        if relation.on_delete is not models.PROTECT or relation.related_model in but_not:
            continue
        count = relation.related_model._base_manager.filter(**{relation.field.name: thing}).count()
        if count:
            names = relation.related_model._meta
            said.append(f"{count} {names.verbose_name if count == 1 else names.verbose_name_plural}")
    if said:
        raise _refusal(f"{what}: {', '.join(sorted(said))} would be lost.", field)


def _refusal(message, field):
    return RuleBroken(message, code="in_the_way", fields={field: message})
