"""What a mail about visits is decided by, in one statement: read when it is written, and again when it is sent.

Equal rows mean that nobody moved or cancelled the visit meanwhile, gave another address, chose to share mails or not,
withdrew the consent or stopped the mails, and that nothing came back from the address.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from clinic import plain_sql, times

_READ = """
SELECT a.id, a.status, a.start_minute, a.sequence, a.location_id, a.practitioner_id, a.type_id, p.id, p.email,
    p.language, p.has_joint_mails,
    (SELECT max(e.id) FROM appointments_appointmentevent e WHERE e.appointment_id = a.id),
    (SELECT max(c.id) FROM patients_consent c
        WHERE c.patient_id = p.id AND c.scope = 'email_reminders' AND c.withdrawn_at IS NULL),
    (SELECT max(s.id) FROM patients_stoppedmail s WHERE s.patient_id = p.id AND s.resumed_at IS NULL),
    (SELECT max(f.id) FROM clinic_addressfault f WHERE f.address = lower(p.email) AND f.mended_at IS NULL)
FROM appointments_appointment a JOIN patients_patient p ON p.id = a.patient_id
WHERE a.id {which} ORDER BY a.id
"""


def read(visits: Iterable[int]) -> dict[int, tuple]:
    """By the visit's id."""
    return {row[0]: row for row in plain_sql.rows(_READ.format(which=f"IN ({plain_sql.ids(visits)})"))}


@dataclass(frozen=True)
class Decided:
    """The rows by which one mail was decided, and when it is too late for it. Called in a transaction, locks the visits
    in order of their ids like whoever moves or cancels several at once."""

    rows: tuple[tuple, ...]
    until: datetime

    def __call__(self) -> bool:
        lock = " FOR UPDATE OF a" if connection.features.has_select_for_update_of else ""
        visits = [row[0] for row in self.rows]
        if len(visits) == 1:  # the usual one, always in the same words: prepared once
            now = plain_sql.rows(_ONE + lock, visits[0])
        else:
            now = plain_sql.rows(_READ.format(which=f"IN ({plain_sql.ids(visits)})") + lock)
        return tuple(now) == self.rows and times.now() < self.until


_ONE = _READ.format(which="= %s")
