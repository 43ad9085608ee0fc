"""The questions alone, and how often a public page may be asked for."""

from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from appointments.models import BookingRequest


def test_the_check_alone_counts_and_keeps_nothing(client, db):
    url = reverse("book-check")
    counted = client.post(url, {"now": ["none"], "neck_neck_stiff_before": "yes", "neck_radiates_forward": "unknown"})
    alarmed = client.post(url, {"now": ["rf_numb_face"], "neck_neck_stiff_before": "yes"})
    unanswered = client.post(url, {})

    assert "1 of 13" in counted.content.decode()
    assert "not a score" in counted.content.decode()
    assert "Call 911 now" in alarmed.content.decode()
    assert "1 of 13" not in alarmed.content.decode()
    assert unanswered.status_code == 400
    assert (BookingRequest.objects.count(), Session.objects.count()) == (0, 0)


def test_a_page_is_not_asked_for_without_end(client, db, settings):
    settings.PAGE_RATES = {"seen": (120, 60)}
    caches["rates"].clear()
    answers = [client.get(reverse("book-check")).status_code for _ in range(121)]

    assert answers == [200] * 120 + [429]
    assert Client(REMOTE_ADDR="198.51.100.7").get(reverse("book-check")).status_code == 200
    caches["rates"].clear()
