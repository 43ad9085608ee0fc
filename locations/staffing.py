"""Who works here: signing people up by invitation, their roles, and who is a practitioner.

The only writer of User (after its first owner), StaffAssignment, Practitioner and Invitation. A change acts at once:
roles are read anew at every request.
"""

from collections.abc import Iterable
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction

from clinic import audit, times, tokens
from clinic.errors import RuleBroken
from clinic.models import Link, User
from clinic.text import clean_line
from locations import access, kept_times, standstill
from locations.kept_times import Agreed
from locations.models import Invitation, Location, Practitioner, StaffAssignment

Role = StaffAssignment.Role
PURPOSE = "staff-invitation"
INVITATION_FOR = timedelta(days=7)
GROUP_ROLES = {Role.OWNER, Role.AUDITOR}  # held for the whole group only
GIVEN_BY_MANAGERS = (Role.DESK, Role.CLINICIAN)


@transaction.atomic
def invite(*, full_name: str, email: str, role: str, locations: Iterable[Location], by: User) -> User:
    """Sign somebody up who cannot enter yet: the mail with the link to choose a password is owed from now on.

    Raises RuleBroken with every wrong field; an e-mail address has one sign-in only.
    """
    places = list(locations)
    _may_give(role, places, by)
    person = User(full_name=full_name.strip(), email=email.strip().lower())
    person.set_unusable_password()
    _check(person)
    person.save(force_insert=True)
    EmailAddress.objects.create(user=person, email=person.email, verified=False, primary=True)
    audit.record("user.invited", on=person, by=by, role=role)
    for place in places or [None]:
        _give(person, role, place, by)
    Invitation.objects.create(user=person, by=by, at=times.now())
    return person


@transaction.atomic
def invite_again(person: User, *, by: User) -> Invitation:
    """Another mail for somebody who has not chosen a password yet; older links stop working."""
    _may_change(person, by)
    if person.has_usable_password():
        raise RuleBroken(f"{person} has a password already.", code="has_password")
    tokens.revoke_links(purpose=PURPOSE, on=person)
    audit.record("user.invited_again", on=person, by=by)
    return Invitation.objects.create(user=person, by=by, at=times.now())


@transaction.atomic
def accept(link: Link, person: User, *, password: str) -> None:
    """Choose the first password and spend the link. Raises RuleBroken `invalid` for a password that is too weak."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise _invalid({"password": " ".join(error.messages)}) from None
    if not tokens.use_link(link):
        raise RuleBroken("This link was used already.", code="link_dead", status=410)
    person.set_password(password)
    person.save(update_fields=["password"])
    EmailAddress.objects.filter(user=person, email=person.email).update(verified=True)
    person.invitations.filter(accepted_at=None).update(accepted_at=times.now())
    audit.record("user.accepted", on=person, by=person)


@transaction.atomic
def give_roles(person: User, role: str, locations: Iterable[Location], *, by: User) -> None:
    """Safe to repeat. A role without a location is held for the whole group."""
    places = list(locations)
    _may_give(role, places, by)
    for place in places or [None]:
        _give(person, role, place, by)


@transaction.atomic
def take_role(assignment: StaffAssignment, *, by: User) -> None:
    """Somebody has to remain who may do everything: the last owner keeps the role."""
    _may_give(assignment.role, [assignment.location] if assignment.location else [], by)
    if assignment.role == Role.OWNER:
        owners = StaffAssignment.objects.select_for_update().filter(role=Role.OWNER, user__is_active=True)
        if len(owners) < 2:
            message = f"{assignment.user} is the last owner. Make somebody else an owner first."
            raise RuleBroken(message, code="last_owner", fields={"role": message})
    audit.record(
        "role.taken", on=assignment.user, by=by, role=assignment.role,
        location=assignment.location.slug if assignment.location else "",
    )  # fmt: skip
    assignment.delete()


@transaction.atomic
def set_active(person: User, *, is_active: bool, by: User, agreed: Agreed = ()) -> None:
    """Let somebody in, or no more. Their visits, notes and signatures stay; a practitioner's free times end.

    Raises RuleBroken (`yourself`) and TimesKept.
    """
    _may_change(person, by)
    if person.pk == by.pk:
        raise RuleBroken("Nobody can lock themselves out. Ask a colleague.", code="yourself")
    standstill.stand_still(Practitioner.objects.filter(user=person))
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    Practitioner.objects.filter(user=person).update(is_active=is_active)
    audit.record("user.enabled" if is_active else "user.disabled", on=person, by=by)
    kept_times.give_up(practitioners=Practitioner.objects.filter(user=person), by=by, agreed=agreed)


@transaction.atomic
def enrol(person: User, *, credentials: str = "DC", by: User) -> Practitioner:
    """Make a clinician's time bookable."""
    _may_change(person, by)
    practitioner = Practitioner(user=person, credentials=credentials.strip())
    try:
        practitioner.clean_fields()
        clean_line(practitioner.credentials)
    except ValidationError as error:
        raise _invalid({"credentials": " ".join(error.messages)}) from None
    practitioner.save(force_insert=True)
    audit.record("practitioner.enrolled", on=practitioner, by=by)
    return practitioner


@transaction.atomic
def offer_online(practitioner: Practitioner, *, is_offered: bool, by: User) -> None:
    """Whether anybody may book the practitioner's free times on the public page. What is booked stays, what is only
    asked for does not."""
    _may_change(practitioner.user, by)
    fresh = Practitioner.objects.select_for_update().get(pk=practitioner.pk)
    if fresh.is_bookable_online != is_offered:
        fresh.is_bookable_online = is_offered
        fresh.save(update_fields=["is_bookable_online"])
        audit.record("practitioner.online" if is_offered else "practitioner.not_online", on=fresh, by=by)
        kept_times.give_up(practitioners=[fresh], by=by, agreed=None)


def may_give(by: User) -> list[str]:
    """The roles this user can give to others, for a form."""
    everywhere = access.location_ids(by, "staff.change") is None
    return [*GIVEN_BY_MANAGERS, *(role for role in Role.values if everywhere and role not in GIVEN_BY_MANAGERS)]


def _give(person, role, location, by):
    _, is_new = StaffAssignment.objects.get_or_create(user=person, role=role, location=location)
    if is_new:
        audit.record("role.given", on=person, by=by, role=role, location=location.slug if location else "")


def _may_give(role, places, by):
    if role not in Role.values:
        raise _invalid({"role": "There is no such role."})
    for place in places:
        access.require(by, "staff.change", place)
    everywhere = access.location_ids(by, "staff.change") is None
    if not everywhere and (role not in GIVEN_BY_MANAGERS or not places):
        raise PermissionDenied
    if role in GROUP_ROLES and places:
        raise _invalid({"locations": f"The role {Role(role).label.lower()} is held for the whole group."})
    if role not in GROUP_ROLES and not places:
        raise _invalid({"locations": "Choose at least one clinic."})


def _may_change(person, by):
    """Managers change people who work at their clinics only, and none who has a role beyond them."""
    ids = access.location_ids(by, "staff.change")
    if ids is None:
        return
    held = list(person.assignments.values_list("role", "location_id"))
    if not held or any(role not in GIVEN_BY_MANAGERS or place not in ids for role, place in held):
        raise PermissionDenied


def _check(person):
    wrong = {}
    for name, check in (("full_name", clean_line), ("email", validate_email)):
        try:
            if not getattr(person, name):
                raise ValidationError("This is needed.")
            check(getattr(person, name))
        except ValidationError as error:
            wrong[name] = " ".join(error.messages)
    if User.objects.filter(email=person.email).exists():
        wrong["email"] = f"{person.email} has a sign-in already: give that person the role instead."
    if wrong:
        raise _invalid(wrong)


def _invalid(fields):
    return RuleBroken(" ".join(dict.fromkeys(fields.values())), code="invalid", fields=fields, status=400)
