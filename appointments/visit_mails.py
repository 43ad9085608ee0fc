"""The words of mails about visits: of one, or of several of one patient at once. Decides nothing and writes nothing, so
that what is shown before a visit moves is what is sent after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.mime.base import MIMEBase

from django.template.loader import render_to_string

from appointments import letters
from appointments.models import Appointment
from clinic import times
from clinic.outbox import Mail

BOOKED, MOVED, CANCELLED, RESTORED = "visit-booked", "visit-moved", "visit-cancelled", "visit-restored"
# From a fixed list, and no word about health, names or the kind of visit: subjects are read over shoulders.
SUBJECTS = {
    BOOKED: "Your visit on {when}",
    MOVED: "Your visit is now on {when}",
    CANCELLED: "Your visit on {when} is cancelled",
    RESTORED: "Your visit on {when} stands",
    "visit-reminder-48h": "Reminder: your visit on {when}",
    "visit-reminder-2h": "Reminder: your visit on {when}",
}
OPENINGS = {
    BOOKED: "Your visit is booked.",
    MOVED: "Your visit has changed. This is how it stands now.",
    CANCELLED: "Your visit is cancelled. You do not need to do anything.",
    RESTORED: "We wrote that your visit was cancelled. That was our mistake: we expect you as before.",
    "visit-reminder-48h": "A reminder of your visit.",
    "visit-reminder-2h": "Your visit is today.",
}
SUBJECTS_OF_SEVERAL = {
    BOOKED: "Your {count} visits, the first on {when}",
    MOVED: "{count} of your visits have changed",
    CANCELLED: "{count} of your visits are cancelled",
    RESTORED: "{count} of your visits stand",
}
OPENINGS_OF_SEVERAL = {
    BOOKED: "These visits are booked.",
    MOVED: "These visits have changed. This is how they stand now.",
    CANCELLED: "These visits are cancelled. You do not need to do anything.",
    RESTORED: "We wrote that these visits were cancelled. That was our mistake: we expect you as before.",
}
ORDER = tuple(OPENINGS_OF_SEVERAL)


@dataclass(frozen=True)
class News:
    """What a mail says of one visit: which `kind` of thing happened, and where it was before in words.

    `link` is the address of the visit's own page, for whoever holds the mail; a cancelled visit has none.
    """

    kind: str
    visit: Appointment
    moved_from: str = ""
    link: str = ""


def write(news: Sequence[News], *, unsubscribe_url: str, attachments: Sequence[MIMEBase] = ()) -> Mail:
    """The mail to the patient of these visits; in order of kind and time when they are several."""
    to = news[0].visit.patient.email
    subject, name, content = _of_one(news[0]) if len(news) == 1 else _of_several(news)
    content["unsubscribe_url"] = unsubscribe_url
    links = (one.link for one in news)
    return Mail(
        to=to,
        subject=subject,
        text=render_to_string(f"appointments/mail/{name}.txt", content),
        html=render_to_string(f"appointments/mail/{name}.html", content),
        attachments=tuple(attachments),
        headers=letters.stop_headers(unsubscribe_url),
        secrets=tuple(url for url in (*links, unsubscribe_url) if url),
    )


def _of_one(news: News):
    content = {
        "visit": news.visit,
        "opening": OPENINGS[news.kind],
        "when": _when(news.visit),
        "moved_from": news.moved_from,
        "visit_url": news.link,
    }
    return SUBJECTS[news.kind].format(when=_when(news.visit, year=False)), "visit", content


def _of_several(news: Sequence[News]):
    parts = []
    for kind in ORDER:
        of_kind = sorted((one for one in news if one.kind == kind), key=lambda one: one.visit.starts_at)
        if of_kind:
            rows = [{"news": one, "visit": one.visit, "when": _when(one.visit)} for one in of_kind]
            parts.append({"kind": kind, "opening": OPENINGS_OF_SEVERAL[kind], "rows": rows})
    kind = parts[0]["kind"] if len(parts) == 1 else MOVED
    first = parts[0]["rows"][0]["visit"]
    places = {one.visit.location_id: one.visit.location for one in news}
    content = {
        "parts": parts,
        "places": sorted(places.values(), key=lambda place: place.name),
        "has_ahead": any(one.link for one in news),
    }
    return SUBJECTS_OF_SEVERAL[kind].format(count=len(news), when=_when(first, year=False)), "visits", content


def _when(visit: Appointment, *, year: bool = True) -> str:
    return times.spoken(visit.starts_at, visit.location.time_zone, year=year)
