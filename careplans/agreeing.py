"""What of a running plan its patient has not agreed to yet, since it was changed. Reads only.

What is done and how often is agreed to: phases, techniques, what goes with them and exercises under care. A word in the
note, a diagnosis, a day of re-evaluation or another practitioner is signed when the patient is next here, and keeps
nothing back.
"""

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, QuerySet

from careplans.models import Agreement, CarePlan, PlanVersion
from evaluations import interventions

MATERIAL = ("Visits", interventions.TECHNIQUE, interventions.ADJUNCT, interventions.ACTIVE_CARE)


def open_changes(plan: CarePlan) -> list[str]:
    """The headings under which it says something else than was agreed to; nothing where all is."""
    return among([plan]).get(plan.pk, [])


def unsigned(plans: QuerySet[CarePlan]) -> QuerySet[CarePlan]:
    """Those that run and were changed, with no signature under what they say now: of which to ask `among`."""
    signed = Agreement.objects.filter(version__plan=OuterRef("pk"), version__number=OuterRef("version"))
    return plans.filter(~Exists(signed), status=CarePlan.Status.ACTIVE, version__gt=1)


def among(plans: Iterable[CarePlan]) -> dict[int, list[str]]:
    """By the id of each plan that waits for its patient's agreement. One query at most, whatever their number.

    Beside the latest version that was agreed to; of a plan that was brought in, beside what it said at first.
    """
    changed = [plan.pk for plan in plans if plan.is_active and plan.version > 1]
    if not changed:
        return {}
    signed = Exists(Agreement.objects.filter(version=OuterRef("pk")))
    rows = PlanVersion.objects.filter(plan__in=changed).annotate(is_signed=signed, latest=F("plan__version"))
    kept: dict[int, list[PlanVersion]] = {}
    for row in rows.order_by("number"):
        kept.setdefault(row.plan_id, []).append(row)
    return {pk: headings for pk, versions in kept.items() if (headings := _open(versions))}


def _open(versions: list[PlanVersion]) -> list[str]:
    now = next((row for row in versions if row.number == row.latest), None)
    agreed = next((row for row in reversed(versions) if row.is_signed), versions[0])
    return differs(agreed.document, now.document) if now else []


def differs(before: dict, after: dict) -> list[str]:
    """The material headings of two documents that list something else. Pure."""
    old, new = _items(before), _items(after)
    return [heading for heading in MATERIAL if old.get(heading, []) != new.get(heading, [])]


def _items(document: dict) -> dict[str, list[str]]:
    return {section["heading"]: list(section["items"]) for section in document["sections"]}
