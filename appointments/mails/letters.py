"""What every mail to a patient has in common: whether they may be written to, links, and the way to stop them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import times, tokens, undeliverable
from patients import mail_choices
from patients.mail_choices import Topic
from patients.models import Consent, Patient

UNSUBSCRIBE_FOR = timedelta(days=90)
NOBODYS = "sample"  # no token: those that are handed out have 43 characters


def unreachable(patient: Patient, topic: Topic) -> str:
    """Why the patient cannot be written to about the topic, or nothing."""
    return unreachable_among([patient], topic)[patient.pk]


def unreachable_among(patients: Sequence[Patient], topic: Topic) -> dict[int, str]:
    """The same for many by their ids, in three queries."""
    agreed = Consent.objects.filter(patient__in=patients, scope=Consent.Scope.EMAIL_REMINDERS, withdrawn_at=None)
    agreed = set(agreed.values_list("patient", flat=True))
    stopped = mail_choices.who_stopped(topic, patients)
    faults = undeliverable.among(one.email for one in patients)

    def reason(one):
        if not one.email:
            return "The patient has no e-mail address."
        if one.pk not in agreed:
            return "The patient has not agreed to e-mails about visits."
        if one.pk in stopped:
            return f"The patient has stopped these mails: {Topic(topic).label.lower()}."
        return faults.get(undeliverable.folded(one.email), "")

    return {one.pk: reason(one) for one in patients}


def for_whom(patient: Patient) -> str:
    """The given name, where somebody else has the same address; else nothing: a mail names nobody without need."""
    others = mail_choices.at_the_same_address(patient).exclude(pk=patient.pk)
    return patient.given_name if others.exists() else ""


def for_whom_among(patients: Iterable[Patient]) -> dict[int, str]:
    """The same for many by their ids, in one query."""
    people = list(patients)
    shared = mail_choices.shared_addresses(people)
    return {one.pk: one.given_name if one.email.lower() in shared else "" for one in people}


def link(url_name: str, *, purpose: str, on, expires_at) -> str:
    """The address of a page for the holder of a new link."""
    return settings.BASE_URL + reverse(
        url_name, args=[tokens.issue_link(purpose=purpose, on=on, expires_at=expires_at)]
    )


def link_nowhere(url_name: str) -> str:
    """What stands for a link where a mail is only shown or tried out: nobody was ever given it, so nothing opens."""
    return settings.BASE_URL + reverse(url_name, args=[NOBODYS])


@dataclass(frozen=True)
class WayOut:
    """How a patient stops mails of this kind: the address, and how its link is called."""

    url: str
    label: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """With which a mail program shows its own Unsubscribe; in one click where that may be promised (RFC 8058)."""
        if not self.url:
            return {}
        one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if self.url.startswith("https://") else {}
        return {"List-Unsubscribe": f"<{self.url}>", **one_click}


def way_out(patient: Patient, topic: Topic) -> WayOut:
    """A new link for this mail. Called in the language of the patient."""
    expires_at = times.now() + UNSUBSCRIBE_FOR
    purpose = mail_choices.purpose_of(topic)
    url = link("visit-mails-stop", purpose=purpose, on=patient, expires_at=expires_at)
    return WayOut(url, _("Stop these mails"))


def way_out_nowhere() -> WayOut:
    return WayOut(link_nowhere("visit-mails-stop"), _("Stop these mails"))


def tidy(text: str) -> str:
    """A text mail as it is sent: no blanks at the ends of lines, never two empty lines, one line break at the end."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
