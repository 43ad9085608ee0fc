import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from appointments import booking, visit_types
from appointments.models import AppointmentType
from clinic.errors import RuleBroken
from clinic.models import AuditEntry
from tests import make

FORM = {
    "name": "Massage", "minutes": 30, "least_minutes": 20, "most_minutes": 60, "room_kind": "adjusting",
    "buffer_before": 0, "buffer_after": 10, "step_minutes": 15, "notice_minutes": 60, "horizon_days": 90,
    "late_cancel_hours": 24, "preparation": "", "name_es": "Masaje",
}  # fmt: skip


def details(**changes):
    return {**FORM, "is_bookable_online": False, "is_evaluation": False, **changes}


def test_a_type_is_made_and_amended(owner):
    made = visit_types.create(by=owner, **details())
    visit_types.amend(made, by=owner, buffer_after=15, minutes=30)

    made.refresh_from_db()
    assert (made.slug, made.buffer_after) == ("massage", 15)
    assert AuditEntry.objects.get(action="type.amended").detail == {"fields": ["buffer_after"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"least_minutes": 31}, "least_minutes"),
        ({"least_minutes": 0}, "least_minutes"),
        ({"most_minutes": 29}, "most_minutes"),
        ({"most_minutes": 481}, "most_minutes"),
        ({"name": "adjustment"}, "name"),
        ({"name": "…"}, "name"),
        ({"buffer_after": 241}, "buffer_after"),
        ({"step_minutes": 7}, "step_minutes"),
        ({"room_kind": "pool"}, "room_kind"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"notice_minutes": 10**6}, "notice_minutes"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(owner, adjustment, wrong, field):
    with pytest.raises(RuleBroken) as refused:
        visit_types.create(by=owner, **details(**wrong))

    assert list(refused.value.fields) == [field]
    assert list(AppointmentType.objects.all()) == [adjustment]


def test_a_type_that_was_booked_is_not_deleted(atlanta, chiro, adjustment, patient, desk, owner):
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9), by=desk)

    with pytest.raises(RuleBroken, match="Adjustment cannot be deleted: 1 appointment would be lost"):
        visit_types.delete(adjustment, by=owner)


def test_only_owners_change_types(atlanta, adjustment):
    manager = make.user("manager", atlanta)

    for change in (
        lambda: visit_types.create(by=manager, **details()),
        lambda: visit_types.amend(adjustment, by=manager, minutes=20),
        lambda: visit_types.delete(adjustment, by=manager),
    ):
        with pytest.raises(PermissionDenied):
            change()


def test_the_pages_make_amend_and_delete(sign_in, owner, atlanta):
    client = sign_in(owner)
    assert "There is nothing to book yet" in client.get(reverse("setup-types")).content.decode()

    client.post(reverse("setup-type-new"), FORM)
    assert "30" in client.get(reverse("setup-types")).content.decode()
    client.post(reverse("setup-type", args=["massage"]), {**FORM, "minutes": 45, "is_bookable_online": "on"})
    assert AppointmentType.objects.values_list("minutes", "is_bookable_online").get() == (45, True)
    client.post(reverse("setup-type-delete", args=["massage"]))
    assert not AppointmentType.objects.exists()


def test_refusals_keep_what_was_typed(sign_in, owner, adjustment, evaluation_type):
    client = sign_in(owner)

    new = client.post(reverse("setup-type-new"), {**FORM, "name": "Adjustment", "preparation": "Bring water"})
    old = client.post(reverse("setup-type", args=["adjustment"]), {**FORM, "name": "Evaluation", "minutes": 61})

    for answer, said in ((new, "There is a type called Adjustment already"), (old, "at least the usual length")):
        assert answer.status_code == 400
        assert said in answer.content.decode()
    assert "Bring water" in new.content.decode()
    assert 'value="61"' in old.content.decode()
    assert "<h1>Adjustment" in old.content.decode()


def test_a_refused_deletion_says_why(sign_in, owner, atlanta, chiro, adjustment, patient, desk):
    booking.book(patient=patient, practitioner=chiro, location=atlanta, type=adjustment, starts_at=make.at(9), by=desk)

    answer = sign_in(owner).post(reverse("setup-type-delete", args=["adjustment"]))

    assert (answer.status_code, "1 appointment would be lost" in answer.content.decode()) == (409, True)


def test_the_page_names_clinics_without_the_room(sign_in, owner, atlanta, adjustment):
    atlanta.rooms.filter(kind="adjusting").delete()

    shown = sign_in(owner).get(reverse("setup-type", args=["adjustment"])).content.decode()

    assert "Not offered for want of a room: Atlanta." in shown
