"""A chiropractor whom anybody may book, and somebody who fills in the form of the public page."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import booking
from appointments.online import public_forms
from clinic import outbox
from tests import make

NOW = make.at(9, day=make.MONDAY - timedelta(days=4))
LINK = re.compile(r"/book/confirm/[\w-]+/")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def visit_type(evaluation_type):
    return evaluation_type


@pytest.fixture
def robin(atlanta, chiro, visit_type):
    """A chiropractor of Atlanta whom anybody may book."""
    chiro.is_bookable_online = True
    chiro.save()
    return chiro


@pytest.fixture
def slot(robin):
    return f"2027-01-04T15:00:00Z|atlanta|{robin.pk}"


@pytest.fixture
def form(slot, clock):
    """What somebody typed, ten seconds after the page was opened."""

    def typed(**changes):
        stamp = public_forms.stamp()
        clock.shift(10)
        given = {
            "type": "evaluation", "slot": slot, "stamp": stamp, "now": ["none"], "given_name": "Avery",
            "family_name": "Testerson", "birth_date": "1991-11-14", "email": "avery@example.org",
            "phone": "404 555 0123", "wants_mails": "yes", "agrees": "on", "heard_from": "search",
            "neck_neck_stiff_before": "yes", "neck_after_load_or_bag": "no",
        }  # fmt: skip
        return {**given, **changes}

    return typed


@pytest.fixture
def send(client, form):
    return lambda **changes: client.post(reverse("book-time"), form(**changes))


@pytest.fixture
def link(send, mailoutbox):
    """The address in the mail, after a good form."""

    def ask(**changes):
        assert send(**changes).status_code == 302
        outbox.send_due()
        return LINK.search(mailoutbox[-1].body)[0]

    return ask


@pytest.fixture
def taken(robin, atlanta, visit_type, desk, patient):
    """`taken()` has the desk book the time of the form for somebody else."""

    def book(hour=10, patient=patient):
        return booking.book(
            patient=patient, practitioner=robin, location=atlanta, type=visit_type, starts_at=make.at(hour), by=desk
        )

    return book
