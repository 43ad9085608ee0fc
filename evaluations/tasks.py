"""Thin: a task wakes a rule and knows nothing itself."""

from celery import shared_task

from evaluations.safety import incidents


@shared_task
def open_incidents():
    incidents.open_due()
