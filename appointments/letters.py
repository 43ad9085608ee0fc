"""What every mail to a patient has in common: whether they may be written to, links, and the way to stop them."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from clinic import times, tokens
from patients.models import Consent

UNSUBSCRIBE_FOR = timedelta(days=90)


def unreachable(patient) -> str:
    """Why the patient cannot be written to, or nothing."""
    return unreachable_among([patient])[patient.pk]


def unreachable_among(patients) -> dict[int, str]:
    """The same for many by their ids, in one query."""
    agreed = Consent.objects.filter(
        patient__in=patients, scope=Consent.Scope.EMAIL_REMINDERS, withdrawn_at=None
    ).values_list("patient", flat=True)
    agreed = set(agreed)
    return {
        one.pk: "The patient has no e-mail address."
        if not one.email
        else ("" if one.pk in agreed else "The patient has not agreed to e-mails about visits.")
        for one in patients
    }


def link(url_name: str, *, purpose: str, on, expires_at) -> str:
    """The address of a page for the holder of a new link."""
    return settings.BASE_URL + reverse(
        url_name, args=[tokens.issue_link(purpose=purpose, on=on, expires_at=expires_at)]
    )


def unsubscribe_link(patient) -> str:
    expires_at = times.now() + UNSUBSCRIBE_FOR
    return link("visit-mails-stop", purpose="unsubscribe", on=patient, expires_at=expires_at)


def stop_headers(unsubscribe_url: str) -> dict[str, str]:
    """With which a mail program shows its own Unsubscribe (RFC 8058)."""
    return {"List-Unsubscribe": f"<{unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
