"""Thin: a task wakes a rule and knows nothing itself.

All may run at any time, twice, and at once: what is to be done is read from the database under a lease.
"""

from celery import shared_task

from clinic import heartbeats, outbox
from clinic.lookout import Lookout

_lookout = Lookout()
HELP_WITHIN = 60  # seconds after which a call for help is stale: by then the next sweep was woken


@shared_task
def send_due_messages():
    heartbeats.note(heartbeats.WORKER)
    _lookout.sweep(call_help=_call_help)


@shared_task
def send_rest():
    """One more process at the sweep that is under way; it calls the next, so that all that are idle come to help."""
    outbox.send_rest(call_help=_call_help)


def _call_help():
    send_rest.apply_async(expires=HELP_WITHIN)
