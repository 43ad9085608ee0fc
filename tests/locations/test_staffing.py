import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.http import Http404

from clinic import tokens
from clinic.errors import RuleBroken
from clinic.models import Link, User
from locations import access, staffing
from locations.models import Practitioner, StaffAssignment
from tests import make

NEW = {"full_name": "Kim Newcomer", "email": " Kim@Example.org ", "role": "clinician"}


def link_for(person):
    token = tokens.issue_link(purpose=staffing.PURPOSE, on=person, expires_at=make.at(9))
    return tokens.find_link(token, purpose=staffing.PURPOSE)


def held(person):
    return sorted(
        (a.role, a.location.slug if a.location else "") for a in person.assignments.select_related("location")
    )


def test_who_is_invited_has_roles_and_no_password(atlanta, marietta, owner):
    kim = staffing.invite(locations=[atlanta, marietta], by=owner, **NEW)

    assert (kim.email, kim.has_usable_password()) == ("kim@example.org", False)
    assert held(kim) == [("clinician", "atlanta"), ("clinician", "marietta")]
    assert kim.invitations.get().by == owner
    assert not EmailAddress.objects.get(user=kim).verified


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"email": "nonsense", "full_name": ""}, ["email", "full_name"]),
        ({"role": "emperor"}, ["role"]),
        ({"role": "owner"}, ["locations"]),
        ({"locations": []}, ["locations"]),
    ],
)
def test_an_invitation_that_makes_no_sense_names_its_fields(atlanta, owner, wrong, fields):
    with pytest.raises(RuleBroken) as refused:
        staffing.invite(by=owner, **{"locations": [atlanta], **NEW, **wrong})

    assert sorted(refused.value.fields) == fields
    assert list(User.objects.all()) == [owner]


def test_an_address_signs_in_once(atlanta, owner):
    staffing.invite(locations=[atlanta], by=owner, **NEW)

    with pytest.raises(RuleBroken, match="has a sign-in already"):
        staffing.invite(locations=[atlanta], by=owner, **NEW | {"email": "KIM@example.org"})


def test_managers_invite_to_their_clinics_and_not_above_themselves(atlanta, marietta):
    manager = make.user("manager", atlanta)

    staffing.invite(locations=[atlanta], by=manager, **NEW)
    with pytest.raises(Http404):
        staffing.invite(locations=[marietta], by=manager, **NEW | {"email": "b@example.org"})
    for role, places in (("manager", [atlanta]), ("auditor", []), ("owner", [])):
        with pytest.raises(PermissionDenied):
            staffing.invite(locations=places, by=manager, **NEW | {"email": "c@example.org", "role": role})
    assert staffing.may_give(manager) == ["desk", "clinician"]


def test_the_desk_invites_nobody(atlanta, desk):
    with pytest.raises(PermissionDenied):
        staffing.invite(locations=[atlanta], by=desk, **NEW)


def test_an_invitation_is_accepted_once(atlanta, owner):
    kim = staffing.invite(locations=[atlanta], by=owner, **NEW)
    link = link_for(kim)

    staffing.accept(link, kim, password="correct horse battery")

    kim.refresh_from_db()
    assert kim.check_password("correct horse battery")
    assert EmailAddress.objects.get(user=kim).verified
    assert kim.invitations.get().accepted_at
    with pytest.raises(RuleBroken, match="used already"):
        staffing.accept(link, kim, password="another horse battery")


def test_a_weak_password_is_refused_and_the_link_stays(atlanta, owner):
    kim = staffing.invite(locations=[atlanta], by=owner, **NEW)
    link = link_for(kim)

    with pytest.raises(RuleBroken) as refused:
        staffing.accept(link, kim, password="kim")

    assert list(refused.value.fields) == ["password"]
    assert Link.objects.get(pk=link.pk).used_at is None


def test_inviting_again_ends_the_older_links(atlanta, owner):
    kim = staffing.invite(locations=[atlanta], by=owner, **NEW)
    link_for(kim)

    staffing.invite_again(kim, by=owner)

    assert Link.objects.get().revoked_at
    assert kim.invitations.count() == 2
    with pytest.raises(RuleBroken, match="has a password already"):
        staffing.invite_again(owner, by=owner)


def test_roles_are_given_and_taken_and_act_at_once(atlanta, marietta, owner, desk):
    staffing.give_roles(desk, "desk", [marietta], by=owner)
    staffing.give_roles(desk, "desk", [marietta], by=owner)
    assert held(desk) == [("desk", "atlanta"), ("desk", "marietta")]

    staffing.take_role(desk.assignments.get(location=atlanta), by=owner)
    assert access.location_ids(User.objects.get(pk=desk.pk), "appointment.read") == {marietta.pk}


def test_the_last_owner_stays(owner, db):
    with pytest.raises(RuleBroken, match="the last owner"):
        staffing.take_role(owner.assignments.get(), by=owner)

    staffing.give_roles(make.user("auditor"), "owner", [], by=owner)
    staffing.take_role(owner.assignments.get(), by=owner)
    assert StaffAssignment.objects.filter(role="owner").count() == 1


def test_a_sign_in_is_switched_off_and_a_practitioner_offers_no_times(chiro, owner):
    staffing.set_active(chiro.user, is_active=False, by=owner)

    chiro.refresh_from_db()
    assert (chiro.is_active, chiro.user.is_active) == (False, False)
    staffing.set_active(chiro.user, is_active=True, by=owner)
    chiro.refresh_from_db()
    assert chiro.is_active
    with pytest.raises(RuleBroken, match="lock themselves out"):
        staffing.set_active(owner, is_active=False, by=owner)


def test_managers_switch_off_their_own_people_only(atlanta, marietta, chiro, owner, desk):
    manager = make.user("manager", atlanta)

    staffing.set_active(desk, is_active=False, by=manager)
    for other in (owner, make.user("manager", atlanta), make.user("desk", atlanta, marietta), make.user("auditor")):
        with pytest.raises(PermissionDenied):
            staffing.set_active(other, is_active=False, by=manager)


def test_a_clinician_is_enrolled(atlanta, owner):
    kim = staffing.invite(locations=[atlanta], by=owner, **NEW)

    staffing.enrol(kim, credentials=" DC, DACNB ", by=owner)

    assert Practitioner.objects.get().name == "Kim Newcomer, DC, DACNB"
    with pytest.raises(RuleBroken) as refused:
        staffing.enrol(owner, credentials="", by=owner)
    assert list(refused.value.fields) == ["credentials"]
