"""Word to the worker that time may have become free. A hint only: beat finds the same a minute later."""

from celery import current_app
from django.db import transaction


def tell() -> None:
    """Once the present transaction is committed. A broker that is away costs nothing but a line in the log."""
    transaction.on_commit(_wake, robust=True)


def _wake():
    # By name: the task knows the offers, which know the booking that tells of the time.
    current_app.send_task("appointments.tasks.offer_free_times", expires=60, retry=False)
