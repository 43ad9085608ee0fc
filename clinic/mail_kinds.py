"""What a mail can be, and which package knows what of each kind.

A package with mails has `reminders.py`: `KINDS` in words, `due(at, since)` reads off the data what fell due, and
`compose(message)` decides by the data as they are now, in a transaction. `compose_many(messages)`, where there is one,
writes many at a time and says with each how to see, in a transaction, that it still holds (`Ready`).
Where the mails are to patients, `TOPICS` says of each kind under which topic it can be stopped (None: under none),
and `sample(kind, visit)` how it would read for a visit, in the language that is active.
`WATCHED`, where there is one, are tables in which a new row may make something due.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings

from clinic.models import Message


@dataclass(frozen=True)
class Due:
    """A mail that fell due. After `useless_after` it is not sent any more but listed as missed.

    `parts` are the keys of what it tells of, where more than one mail could come to tell of the same.
    """

    key: str
    kind: str
    about: str
    about_id: int
    patient_id: int | None
    due_at: datetime
    useless_after: datetime
    detail: dict = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    patients: Mapping[str, int] = field(default_factory=dict)  # by part, in a mail to several patients


@dataclass(frozen=True)
class Attachment:
    """`content_type` with its parameters; `name` of the file in plain letters."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """What to send. `secrets` are the links in it: left out of the copy that is kept.

    `sender` is the name that the mail comes from, where it is not the one of all mails. `is_asked_for` is one that
    somebody waits for who has just typed the address: it is tried although mails to it came back.
    """

    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    sender: str = ""
    is_asked_for: bool = False


@dataclass(frozen=True)
class Skip:
    """Not to be sent, and why."""

    reason: str


@dataclass(frozen=True)
class Later:
    """Not to be sent before: it would come in the quiet hours."""

    until: datetime


@dataclass(frozen=True)
class Ready:
    """A mail written ahead of its moment. `holds` looks again at what it was decided by, under the locks of `compose`;
    where it says no, the mail is written anew.
    """

    mail: Mail
    holds: Callable[[], bool]


@lru_cache
def modules() -> tuple:
    names = [f"{layer}.reminders" for layer in settings.LAYERS]
    return tuple(import_module(name) for name in names if find_spec(name))


def of(kind: str):
    return next(module for module in modules() if kind in module.KINDS)


def compose(message: Message) -> Mail | Skip | Later:
    return of(message.kind).compose(message)


def to_patients() -> dict[str, str]:
    """The kinds of mail that patients get, and what makes each due."""
    return {
        kind: module.KINDS[kind]
        for module in modules()
        if hasattr(module, "sample")
        for kind in getattr(module, "TO_PATIENTS", module.KINDS)  # others of the module go to the clinic
    }


def topic_of(kind: str):
    """Under which topic patients can stop mails of the kind; None where they cannot."""
    return getattr(of(kind), "TOPICS", {}).get(kind)


def sample(kind: str, visit) -> Mail:
    """How a mail to a patient would read for the visit: nothing is decided, stored or issued for it."""
    return of(kind).sample(kind, visit)


def compose_many(messages: Iterable[Message]) -> dict[int, Ready]:
    """By the row's id, what can be written ahead; whatever is missing goes the way of `compose`."""
    by_module = defaultdict(list)
    for message in messages:
        by_module[of(message.kind)].append(message)
    found: dict[int, Ready] = {}
    for module, those in by_module.items():
        if hasattr(module, "compose_many") and len(those) > 1:
            found |= module.compose_many(those)
    return found
