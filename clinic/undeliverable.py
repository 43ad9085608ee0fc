"""Addresses that take no mail, and since when: the only writer of AddressFault.

Nothing is sent to one until it is mended: by another address in the chart, by somebody who says that it works again, or
by who answers the one mail that is tried all the same, since its reader had just asked for it.
"""

import re
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from clinic import audit, times
from clinic.models import AddressFault, Message, User

Kind = AddressFault.Kind
WORDS = {
    Kind.BOUNCED: "Mail to this address comes back",
    Kind.COMPLAINED: "Mail to this address was reported as unwanted",
}


_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.\d{1,3}\b")


def folded(address: str) -> str:
    """How addresses are compared: no mail service of today tells upper and lower case apart."""
    return address.strip().lower()


def is_hard(answer: str) -> bool:
    """Whether a refusal (SMTP reply or status code) is about the address itself: unknown, gone, given up.

    5.7.x is about us or the content, 5.2.2 a full mailbox, 5.3 to 5.5 the server: the address may be good.
    """
    if enhanced := _ENHANCED.search(answer):
        return enhanced[1] in {"1", "2"} and enhanced[0] not in {"5.2.2", "5.2.3"}
    return answer.strip().startswith(("550", "551", "553", "556"))


def flag(address: str, *, kind: Kind, reason: str, message: Message | None = None) -> AddressFault:
    """Keep that an address takes no mail. Safe to repeat: the first fault that stands is kept."""
    wanted = folded(address)
    try:
        with transaction.atomic():
            made = AddressFault.objects.create(
                address=wanted, kind=kind, reason=reason[:500], at=times.now(), message=message
            )
            audit.record("address.flagged", on=made, by_whom="mail server", kind=str(kind),
                         patient_id=message.patient_id if message else None)  # fmt: skip
            return made
    except IntegrityError:
        return AddressFault.objects.get(address=wanted, mended_at=None)


@transaction.atomic
def mend(address: str, *, by: User | None, by_whom: str = "", patient_id: int | None = None) -> bool:
    """Somebody says, or shows, that it works again; False when nothing stood against it."""
    fault = AddressFault.objects.select_for_update().filter(address=folded(address), mended_at=None).first()
    if fault is None:
        return False
    fault.mended_at, fault.mended_by = times.now(), by
    fault.save(update_fields=["mended_at", "mended_by"])
    audit.record("address.mended", on=fault, by=by, by_whom=by_whom, patient_id=patient_id)
    return True


def standing() -> QuerySet:
    return AddressFault.objects.filter(mended_at=None)


def among(addresses: Iterable[str], *, is_asked_for: bool = False) -> dict[str, str]:
    """Why nothing is sent to some of these addresses, by the folded address; one query.

    A mail that was asked for just now is tried where mails came back; who reported them as unwanted is left alone.
    """
    rows = standing().filter(address__in={folded(one) for one in addresses if one})
    rows = rows.exclude(kind=Kind.BOUNCED) if is_asked_for else rows
    return {row.address: f"{WORDS[row.kind]}: {row.reason}" for row in rows}
