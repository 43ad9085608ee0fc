"""Which mails that nobody asked for at the moment are sent, and when: the only writer of MailRule.

Packages name their kinds in `apps.py`. A kind is on or off and has one number (of hours, days or visits), for the group
and, where it is to be otherwise, for a location.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction

from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access
from locations.models import Location, MailRule


@dataclass(frozen=True)
class Kind:
    """`what` is the sentence on the set-up page in which {number} stands; the number lies within `least` and `most`."""

    name: str
    label: str
    what: str
    number: int
    least: int = 1
    most: int = 60
    is_on: bool = True


_kinds: dict[str, Kind] = {}


@dataclass(frozen=True)
class Setting:
    kind: Kind
    is_on: bool
    number: int
    is_own: bool = False  # set at the location itself

    @property
    def words(self) -> str:
        return self.kind.what.format(number=self.number)


def add(kind: Kind) -> None:
    _kinds[kind.name] = kind


def kinds() -> list[Kind]:
    return list(_kinds.values())


class Rules:
    """All of them, in one query."""

    def __init__(self):
        self._rows = {(row.kind, row.location_id): row for row in MailRule.objects.all()}

    def of(self, name: str, location_id: int | None) -> Setting:
        own = self._rows.get((name, location_id))
        row, kind = own or self._rows.get((name, None)), _kinds[name]
        if row is None:
            return Setting(kind, kind.is_on, kind.number)
        return Setting(kind, row.is_on, row.number, is_own=own is not None)

    def all_of(self, location_id: int | None) -> list[Setting]:
        return [self.of(name, location_id) for name in _kinds]

    def numbers(self, name: str, location_ids: Iterable[int]) -> dict[int, list[int]]:
        """The locations where the kind is on, by their number."""
        found: dict[int, list[int]] = {}
        for location in location_ids:
            if (one := self.of(name, location)).is_on:
                found.setdefault(one.number, []).append(location)
        return found


@transaction.atomic
def set_rule(name: str, location: Location | None, *, is_on: bool, number: int, by: User) -> MailRule:
    """For one location, or for all that have none of their own."""
    _require(location, by)
    kind = _kinds.get(name)
    if kind is None:
        raise _invalid("kind", "There is no such mail.")
    if not kind.least <= number <= kind.most:
        raise _invalid("number", f"From {kind.least} to {kind.most}.")
    row, _ = MailRule.objects.update_or_create(
        kind=name, location=location, defaults={"is_on": is_on, "number": number}
    )
    audit.record("mail_rule.set", on=row, by=by, kind=name, location=location.slug if location else "", is_on=is_on,
                 number=number)  # fmt: skip
    return row


@transaction.atomic
def forget(name: str, location: Location, *, by: User) -> None:
    """From now on the rule of the group holds at the location. Safe to repeat."""
    _require(location, by)
    row = MailRule.objects.filter(kind=name, location=location).first()
    if row:
        audit.record("mail_rule.forgotten", on=row, by=by, kind=name, location=location.slug)
        row.delete()


def _invalid(field, message):
    return RuleBroken(message, code="invalid", fields={field: message}, status=400)


def _require(location, by):
    if location is not None:
        access.require(by, "location.change", location)
    elif access.location_ids(by, "location.change") is not None:
        raise PermissionDenied
