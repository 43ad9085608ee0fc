"""Thin: a task wakes a rule and knows nothing itself."""

from celery import shared_task

from appointments import matching, public_booking


@shared_task
def offer_free_times():
    matching.offer_free_times()


@shared_task
def forget_booking_requests():
    public_booking.forget()
