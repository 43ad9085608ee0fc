"""Thin: a task wakes a rule and knows nothing itself."""

from celery import shared_task

from appointments import matching


@shared_task
def offer_free_times():
    matching.offer_free_times()
