"""The words of mails about visits: of one, or of several at once, in the language that is active. Decides nothing and
writes nothing, so that what is shown before a visit moves is what is sent after.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from appointments.mails import letters
from appointments.mails.letters import WayOut
from appointments.mails.visit_reminders import KIND as REMINDER
from appointments.models import Appointment
from clinic import times
from clinic.mail_kinds import Attachment, Mail

BOOKED, MOVED, CANCELLED, RESTORED = "visit-booked", "visit-moved", "visit-cancelled", "visit-restored"
SEVERAL = "visits-changed"
# From a fixed list, and no word about health, names or the kind of visit: subjects are read over shoulders.
SUBJECTS = {
    BOOKED: _("Your visit on {when}"),
    MOVED: _("Your visit is now on {when}"),
    CANCELLED: _("Your visit on {when} is cancelled"),
    RESTORED: _("Your visit on {when} stands"),
    REMINDER: _("Reminder: your visit on {when}"),
}
OPENINGS = {
    BOOKED: _("Your visit is booked."),
    MOVED: _("Your visit has changed. This is how it stands now."),
    CANCELLED: _("Your visit is cancelled. You do not need to do anything."),
    RESTORED: _("We wrote that your visit was cancelled. That was our mistake: we expect you as before."),
    REMINDER: _("A reminder of your visit."),
}
SUBJECTS_OF_SEVERAL = {
    BOOKED: _("Your {count} visits, the first on {when}"),
    MOVED: _("{count} of your visits have changed"),
    CANCELLED: _("{count} of your visits are cancelled"),
    RESTORED: _("{count} of your visits stand"),
    REMINDER: _("Reminder: {count} visits, the first on {when}"),
}
OPENINGS_OF_SEVERAL = {
    BOOKED: _("These visits are booked."),
    MOVED: _("These visits have changed. This is how they stand now."),
    CANCELLED: _("These visits are cancelled. You do not need to do anything."),
    RESTORED: _("We wrote that these visits were cancelled. That was our mistake: we expect you as before."),
    REMINDER: _("A reminder of your visits."),
}
ORDER = tuple(OPENINGS_OF_SEVERAL)


@dataclass(frozen=True)
class News:
    """What a mail says of one visit: which `kind` of thing happened, and where it was before in words.

    `link` is the address of the visit's own page, for whoever holds the mail; a cancelled visit has none. `for_whom`
    is the name by which people who share an address tell their mails apart.
    """

    kind: str
    visit: Appointment
    moved_from: str = ""
    link: str = ""
    for_whom: str = ""

    @property
    def calendar_link(self) -> str:
        """Where the visit can be had as an entry for a calendar, by mail programs that show none by themselves."""
        return f"{self.link}visit.ics" if self.link.endswith("/") else self.link  # a preview has no address

    @property
    def preparation(self) -> str:
        """What the patient is to bring or do, as the type says."""
        return "" if self.kind == CANCELLED else self.visit.type.preparation_for_patients


def write(news: Sequence[News], *, way_out: WayOut, attachments: Sequence[Attachment] = ()) -> Mail:
    """The mail to the patient of these visits; in order of kind and time when they are several."""
    first = news[0].visit
    subject, name, content = _of_one(news[0]) if len(news) == 1 else _of_several(news)
    content |= {"subject": subject, "unsubscribe_url": way_out.url, "unsubscribe_label": way_out.label}
    links = (url for one in news for url in (one.calendar_link, one.link))
    return Mail(
        to=first.patient.email,
        subject=subject,
        text=letters.tidy(render_to_string(f"appointments/mail/{name}.txt", content)),
        html=render_to_string(f"appointments/mail/{name}.html", content),
        attachments=tuple(attachments),
        headers=way_out.headers,
        secrets=tuple(url for url in (*links, way_out.url) if url),
        sender=first.location.sender_name,
    )


def _of_one(news: News):
    content = {
        "visit": news.visit,
        "opening": OPENINGS[news.kind],
        "when": _when(news.visit),
        "moved_from": news.moved_from,
        "visit_url": news.link,
        "calendar_url": news.calendar_link,
        "for_whom": news.for_whom,
        "preparation": news.preparation,
    }
    return SUBJECTS[news.kind].format(when=_when(news.visit, year=False)), "visit", content


def in_order(news: Sequence[News]) -> list[News]:
    """As the mail tells them: by what happened, then by time."""
    return sorted(news, key=lambda one: (ORDER.index(one.kind), one.visit.starts_at))


def _of_several(news: Sequence[News]):
    parts = []
    for kind in ORDER:
        of_kind = [one for one in in_order(news) if one.kind == kind]
        if of_kind:
            rows = [
                {"news": one, "visit": one.visit, "when": _when(one.visit), "for_whom": one.for_whom} for one in of_kind
            ]
            parts.append({"kind": kind, "opening": OPENINGS_OF_SEVERAL[kind], "rows": rows})
    kind = parts[0]["kind"] if len(parts) == 1 else MOVED
    first = parts[0]["rows"][0]["visit"]
    places = {one.visit.location_id: one.visit.location for one in news}
    content = {
        "parts": parts,
        "places": sorted(places.values(), key=lambda place: place.name),
        "has_ahead": any(one.link for one in news),
        "preparations": list(dict.fromkeys(one.preparation for one in news if one.preparation)),
    }
    return SUBJECTS_OF_SEVERAL[kind].format(count=len(news), when=_when(first, year=False)), "visits", content


def _when(visit: Appointment, *, year: bool = True) -> str:
    return times.spoken(visit.starts_at, visit.location.time_zone, year=year)
