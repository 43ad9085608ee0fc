"""Thin: a task wakes a rule and knows nothing itself."""

from celery import shared_task

from clinic import outbox


@shared_task
def send_due_messages():
    outbox.heartbeat()
    outbox.send_due()
