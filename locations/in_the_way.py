"""What stands in the way of closing or deleting a place: packages above register what they know, from `apps.py`."""

from collections.abc import Callable

from django.db import models

from clinic.errors import RuleBroken

_askers: list[Callable] = []


def add(asker: Callable) -> None:
    """`asker(thing)` is given a Location or Room and yields sentences such as "3 visits ahead, the first on …"."""
    _askers.append(asker)


def of(thing) -> list[str]:
    """Why the room or location cannot be closed now."""
    return [said for asker in _askers for said in asker(thing)]


def refuse_if_used(thing, what: str, *, field: str) -> None:
    """Raises RuleBroken `in_the_way`. `what` begins the sentence, e.g. "Room 2 cannot be closed"."""
    if said := of(thing):
        raise _refusal(f"{what}: {'; '.join(said)}.", field)


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
