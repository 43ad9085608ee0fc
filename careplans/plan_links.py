"""The patient's own way to a plan: a link in a mail, without a password. It shows, and signs with the birth date."""

from datetime import date, timedelta

from django.db import transaction

from appointments.mails import letters
from careplans import planning
from careplans.models import Agreement, CarePlan
from clinic import times, tokens
from clinic.errors import RuleBroken
from clinic.models import Link, User
from locations import access
from patients import birth_date, sight
from patients.mail_choices import Topic
from patients.signatures import Signature

PURPOSE = "care-plan"
GOOD_FOR = timedelta(days=180)


@transaction.atomic
def ask(plan: CarePlan, *, by: User) -> None:
    """Have the link mailed to the patient (`reminders.py`). Raises RuleBroken where there is no way to write."""
    access.require(by, "careplan.write", plan.location)
    sight.require(by, "careplan.write", plan.patient)
    if not plan.is_under_way:
        raise RuleBroken("The plan is over.", code="wrong_status")
    if reason := letters.unreachable(plan.patient, Topic.NOTICES):
        raise RuleBroken(reason, code="unreachable")
    planning.record(plan, "link_sent", by=by)


def address(plan: CarePlan) -> str:
    """A new link's address. Links sent before stay good: more than one mail may be at hand."""
    return letters.link("plan-link", purpose=PURPOSE, on=plan, expires_at=times.now() + GOOD_FOR)


def find(token: str) -> tuple[Link, CarePlan] | None:
    """The link and its plan; None alike for every link that is no good."""
    link = tokens.find_link(token, purpose=PURPOSE)
    plan = link and CarePlan.objects.with_names().filter(pk=link.about_id).first()
    return (link, plan) if plan else None


def agree(link: Link, plan: CarePlan, signature: Signature, *, born_on: date, digest: str) -> Agreement:
    """Sign the plan as it was shown, with the birth date as `birth_date` asks it."""
    birth_date.check(link, plan.patient, born_on)
    if not digest:
        raise RuleBroken("Read the plan first, then sign.", code="changed_meanwhile")
    return planning.agree(plan, signature, by=None, digest=digest)
