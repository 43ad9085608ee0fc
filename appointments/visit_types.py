"""Types of visit: how long, in which room, with what around it; the only writer of AppointmentType.

A change holds for what is booked from now on: visits that stand keep their length, room and buffers.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import slugify

from appointments.models import AppointmentType
from appointments.online import public_holds
from clinic import audit
from clinic.errors import RuleBroken
from clinic.models import User
from locations import access, in_the_way

FIELDS = (
    "name", "name_es", "minutes", "least_minutes", "most_minutes", "room_kind", "buffer_before", "buffer_after",
    "step_minutes", "notice_minutes", "horizon_days", "late_cancel_hours", "is_bookable_online", "is_evaluation",
    "preparation", "preparation_es",
)  # fmt: skip


@transaction.atomic
def create(*, by: User, **details) -> AppointmentType:
    """One more type, offered wherever there is a room of its kind. Raises RuleBroken with every wrong field."""
    _require(by)
    made = AppointmentType(slug=slugify(details.get("name", ""))[:50], **_tidy(details))
    _check(made)
    made.save(force_insert=True)
    audit.record("type.created", on=made, by=by)
    return made


@transaction.atomic
def amend(type: AppointmentType, *, by: User, **changes) -> AppointmentType:
    """Change a type. Its name in addresses stays as it was."""
    _require(by)
    fresh = AppointmentType.objects.select_for_update().get(pk=type.pk)
    changed = [name for name, value in _tidy(changes).items() if getattr(fresh, name) != value]
    for name in changed:
        setattr(fresh, name, _tidy(changes)[name])
    _check(fresh)
    if changed:
        fresh.save(update_fields=changed)
        audit.record("type.amended", on=fresh, by=by, fields=sorted(changed))
    if "is_bookable_online" in changed:
        public_holds.end_of_type(fresh)
    return fresh


@transaction.atomic
def delete(type: AppointmentType, *, by: User) -> None:
    """Only one that nothing was ever booked for."""
    _require(by)
    in_the_way.refuse_if_kept(type, f"{type} cannot be deleted", field="delete")
    audit.record("type.deleted", on=type, by=by, slug=type.slug)
    type.delete()


def _require(by):
    if access.location_ids(by, "type.change") is not None:
        raise PermissionDenied


def _tidy(given: dict) -> dict:
    if unknown := set(given) - set(FIELDS):
        raise TypeError(f"Not fields of a type: {sorted(unknown)}")
    return {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}


def _check(type) -> None:
    """Raises RuleBroken with every wrong field at once."""
    wrong = {}
    try:
        type.clean_fields(exclude=["id", "slug"])
    except ValidationError as error:
        wrong = {name: " ".join(said) for name, said in error.message_dict.items()}
    if not {"minutes", "least_minutes", "most_minutes"} & set(wrong):
        if not 5 <= type.least_minutes <= type.minutes:
            wrong["least_minutes"] = "The shortest is at least 5 minutes and at most the usual length."
        if not type.minutes <= type.most_minutes <= 480:
            wrong["most_minutes"] = "The longest is at least the usual length and at most 8 hours."
    others = AppointmentType.objects.exclude(pk=type.pk)
    if "name" not in wrong and not type.slug:
        wrong["name"] = "Give the type a name with letters in it."
    elif "name" not in wrong and (
        others.filter(name__iexact=type.name).exists() or others.filter(slug=type.slug).exists()
    ):
        wrong["name"] = f"There is a type called {type.name} already."
    if wrong:
        raise RuleBroken(" ".join(dict.fromkeys(wrong.values())), code="invalid", fields=wrong, status=400)
