"""When the parts that run by themselves were last heard from, and which of several beats it is that counts.

The only writer of Heartbeat. A hold is a lease in the database, by a conditional update: it works on both engines, and
whoever dies holding it is succeeded once it ran out. Two holders at once would do no harm, only wake workers twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from clinic import times
from clinic.models import Heartbeat

BEAT, WORKER = "beat", "worker"
SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Pulse:
    """The last sign of beat and of the workers. A worker is heard from when it took a wake-up call of beat's."""

    beat_at: datetime | None
    worker_at: datetime | None
    is_beat_silent: bool
    is_worker_silent: bool


def note(name: str, at: datetime | None = None) -> None:
    """One statement, but for the very first time."""
    moment = at or times.now()
    if not Heartbeat.objects.filter(name=name).update(at=moment):
        Heartbeat.objects.update_or_create(name=name, defaults={"at": moment})


def marks(*names: str) -> dict[str, datetime]:
    return dict(Heartbeat.objects.filter(name__in=names).values_list("name", "at"))


def hold(name: str, holder: str, *, lasts: timedelta) -> bool:
    """Take the place, or keep it: one statement. False while another has it who was heard from within `lasts`.

    A sign from the future is of a clock that was put right since, and nobody's claim.
    """
    now = times.now()
    free = Q(holder__in=[holder, ""]) | Q(at__lt=now - lasts) | Q(at__gt=now + lasts)
    if Heartbeat.objects.filter(free, name=name).update(holder=holder, at=now):
        return True
    if Heartbeat.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Heartbeat.objects.create(name=name, holder=holder, at=now)
    except IntegrityError:  # a rival was first
        return False
    return True


def let_go(name: str, holder: str) -> None:
    """Who ends in order leaves the place free, so that the next need not wait."""
    Heartbeat.objects.filter(name=name, holder=holder).update(holder="")


def pulse() -> Pulse:
    heard = marks(BEAT, WORKER)
    beat_at, worker_at = heard.get(BEAT), heard.get(WORKER)
    return Pulse(beat_at, worker_at, _is_silent(beat_at), _is_silent(worker_at))


def _is_silent(at: datetime | None) -> bool:
    return at is None or at < times.now() - SILENT_AFTER
