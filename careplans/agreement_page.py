"""What is shown to be signed, and what was signed. Reads, never writes."""

from dataclasses import dataclass

from careplans import consent_rules, plan_documents, versions
from careplans.models import Agreement, CarePlan, PlanVersion
from clinic import times
from patients import consent_texts, consenting, documents, guardian_rules, signatures
from patients.models import ConsentForm


@dataclass(frozen=True)
class ToSign:
    """`consent` and `plan` are documents, None where that needs no signature now; digests as they are sent back."""

    consent: dict | None
    form: consent_texts.Form | None
    why: str
    plan: dict | None
    is_minor: bool

    @property
    def consent_digest(self) -> str:
        return documents.digest(self.consent) if self.consent else ""

    @property
    def plan_digest(self) -> str:
        return documents.digest(self.plan) if self.plan else ""


def to_sign(plan: CarePlan) -> ToSign:
    fault = consent_rules.of_plan(plan)
    thrust = consent_rules.has_thrust(row.code for row in plan.interventions.all())
    today = plan.location.today()
    version = versions.latest(plan)
    agreed = version and version.agreements.exists()
    return ToSign(
        consenting.document(plan.patient, plan.location, thrust=thrust) if fault else None,
        consent_texts.current(today) if fault else None,
        fault.message if fault else "",
        None if agreed else (version.document if version else plan_documents.of(plan)),
        guardian_rules.of(plan.location.state).needs_guardian(plan.patient.age_on(today)),
    )


def read(plan: CarePlan) -> dict:
    """Context of the printable agreement: the consent, the version that stands, and both signatures."""
    version = versions.latest(plan)
    form = consenting.latest(plan.patient)
    return {
        "plan": plan,
        "consent": form,
        "consent_signed": form and signature_of_form(form, plan.location.time_zone),
        "agreed_to": [_scope_label(name) for name, yes in form.answers.items() if yes] if form else [],
        "document": version.document if version else plan_documents.of(plan),
        "signed": version and signature_of(version),
    }


def agreed(plan: CarePlan) -> dict | None:
    """The signature under the plan as it stands."""
    one = Agreement.objects.filter(version__plan=plan, version__number=plan.version).select_related("by").first()
    return one and _signature(one, plan.location.time_zone)


def _scope_label(name: str) -> str:
    labels = {scope.code: scope.label for scope in consent_texts.FORMS[-1].scopes}
    return labels.get(consenting.OF_ANSWER.get(name, name), name.replace("_", " "))


def signature_of(version: PlanVersion) -> dict | None:
    one = version.agreements.select_related("by").first()
    return one and _signature(one, version.plan.location.time_zone)


def _signature(one: Agreement, zone: str) -> dict:
    return {
        "name": one.typed_name,
        "relationship": one.relationship,
        "authority_document": one.authority_document,
        "assent": one.patient_assent,
        "path": signatures.path(one.drawing),
        "when": times.spoken(one.signed_at, zone),
        "by": one.by,
        "digest": one.digest,
    }


def signature_of_form(form: ConsentForm, zone: str) -> dict:
    day = form.signed_on
    return {
        "name": form.signer,
        "relationship": form.relationship,
        "authority_document": form.authority_document,
        "assent": form.patient_assent,
        "path": signatures.path(form.drawing),
        "when": times.spoken(form.signed_at, zone) if form.signed_at else f"{day:%B} {day.day}, {day.year}",
        "by": form.by,
        "digest": form.digest,
    }
