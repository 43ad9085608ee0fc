"""The versions of a plan: what it said at each time, readable for good. The only writer of PlanVersion."""

from careplans import plan_documents
from careplans.models import CarePlan, PlanVersion
from clinic import times
from clinic.models import User
from patients import documents


def write(plan: CarePlan, *, by: User, reason: str = "") -> PlanVersion:
    """Keep what the plan says now, under its number."""
    fresh = CarePlan.objects.with_names().get(pk=plan.pk)  # what was read before it was rewritten is not what it says
    document = plan_documents.of(fresh)
    return plan.versions.create(
        number=plan.version,
        document=document,
        digest=documents.digest(document),
        written_by=by,
        written_at=times.now(),
        reason=reason,
    )


def latest(plan: CarePlan) -> PlanVersion | None:
    """The version that stands; None for a plan written before versions were kept."""
    return plan.versions.filter(number=plan.version).first()


def keep(plan: CarePlan, *, by: User) -> PlanVersion:
    """The version that stands, written down if it was not yet."""
    return latest(plan) or write(plan, by=by)


def changes(before: dict, after: dict) -> list[dict]:
    """What two documents of a plan say differently, as {"what", "before", "after"}: lists of lines. Pure."""
    old, new = _lines(before), _lines(after)
    return [
        {"what": what, "before": old.get(what, []), "after": new.get(what, [])}
        for what in {**old, **new}
        if old.get(what) != new.get(what) and what != "Version"
    ]


def _lines(document: dict) -> dict[str, list[str]]:
    facts = {label: [value] for label, value in document["facts"]}
    return facts | {one["heading"]: [*one["items"], *one["text"]] for one in document["sections"]}


def before(version: PlanVersion) -> PlanVersion | None:
    return version.plan.versions.filter(number=version.number - 1).first()
