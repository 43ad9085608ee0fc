"""What a good form of the signing page holds, and who may be written to."""

from careplans import agreement_page
from clinic import times
from patients import consent_texts

CONSENT = {
    "risks": [code for code, _ in consent_texts.FORMS[-1].risks],
    "scopes": ["examination", "chiropractic_care"],
    "questions_answered": "on",
    "language": "en",
}
SIGNATURE = {"signer": "patient", "name": "Avery Testerson"}
BOTH = {**CONSENT, **SIGNATURE}


def shown(plan):
    """The digests of what is open to sign, as the page sends them back."""
    found = agreement_page.to_sign(plan)
    return {"consent_digest": found.consent_digest, "plan_digest": found.plan_digest}


def may_be_written_to(patient):
    patient.consents.get_or_create(scope="email_reminders", withdrawn_at=None, defaults={"given_at": times.now()})
