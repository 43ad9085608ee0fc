"""A time is held only for who gets the mail, and reads it awake."""

from datetime import time, timedelta

import pytest
import time_machine

from appointments.waiting import matching
from clinic import times, undeliverable
from locations import mail_hours
from patients import mail_choices
from tests.make import MONDAY, at

NOW = at(12, day=MONDAY - timedelta(days=1))  # the Sunday before


@pytest.fixture(autouse=True)
def clock(chiro):
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.mark.parametrize(("hour", "count"), [(9, 0), (10, 1), (13, 1), (14, 0)])
def test_offers_keep_the_quiet_hours_of_the_clinic_on_days_that_it_is_closed_too(
    waits, owner, atlanta, clock, hour, count
):
    mail_hours.set_hours(atlanta, quiet_from=time(14), quiet_until=time(10), on_open_days_only=True, by=owner)
    waits("Ann")
    clock.move_to(at(hour, day=MONDAY - timedelta(days=1)))

    assert len(matching.offer_free_times()) == count


@pytest.mark.parametrize("how", ["stopped", "bounced", "withdrawn", "no address"])
def test_no_time_is_held_for_who_would_not_get_the_mail(waits, how):
    ann, ben = waits("Ann", urgency=2).patient, waits("Ben")
    match how:
        case "stopped":
            mail_choices.stop(ann, mail_choices.Topic.OFFERS, by=None, by_whom="patient")
        case "bounced":
            undeliverable.flag(ann.email, kind="bounced", reason="550 5.1.1 No such user")
        case "withdrawn":
            ann.consents.update(withdrawn_at=times.now())
        case "no address":
            type(ann).objects.filter(pk=ann.pk).update(email="")

    assert [offer.entry for offer in matching.offer_free_times()] == [ben]
