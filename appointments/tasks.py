"""Thin: a task wakes a rule and knows nothing itself."""

from celery import shared_task

from appointments.online import public_booking
from appointments.waiting import matching


@shared_task
def offer_free_times():
    matching.offer_free_times()


@shared_task
def forget_booking_requests():
    public_booking.forget()
