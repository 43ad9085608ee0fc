"""Care plans as the API shows them. Reads only."""

from rest_framework import serializers

from appointments.recurring import standing
from careplans import blocks, goals, planning, progress, safety_hold, versions
from careplans.models import Agreement, CarePlan, Discharge
from clinic import times
from patients import consenting


class VisitOut(serializers.Serializer):
    """A visit of a phase; `appointment` is null while it is owed."""

    def to_representation(self, one):
        shown = one.appointment if one.is_on_calendar else None
        return {
            "number": one.visit.number,
            "type": one.visit.type.slug,
            "wanted_on": one.visit.wanted_on.isoformat(),
            "state": one.state,
            "appointment": shown and shown.pk,
            "starts_at": shown and shown.local_start.isoformat(),
            "time_zone": shown and shown.location.time_zone,
        }


class PlanOut(serializers.Serializer):
    """A care plan as the API shows it; `blocks` say why it may not become active, or not go on."""

    def to_representation(self, plan):
        visits = {}
        for one in standing.of(plan.series) if plan.series else ():
            visits.setdefault(one.visit.stretch, []).append(VisitOut(one).data)
        return {
            **brief(plan, safety_hold.of_plan(plan)),
            "restrictions": blocks.restrictions_on(plan),
            "reevaluate_after_visits": plan.reevaluate_after_visits,
            "version": plan.version,
            "consent": _consent(plan),
            "agreement": _agreement(plan),
            "note": plan.note,
            "diagnoses": plan.diagnoses,
            "referrals": plan.referrals,
            "discharge": _discharge(plan),
            "template": plan.made_from and {"id": plan.made_from.template_id, "version": plan.made_from.number},
            "phases": [
                {
                    "kind": phase.kind,
                    "visits_per_week": phase.visits_per_week,
                    "every_weeks": phase.every_weeks,
                    "weeks": phase.weeks,
                    "visits": visits.get(phase.order, []),
                }
                for phase in plan.phases.all()
            ],
            "goals": _goals(plan),
            "progress": _progress(plan),
            "interventions": list(plan.interventions.values("code", "dose")),
            "blocks": [{"code": b.code, "detail": b.message} for b in blocks.now(plan)],
            "next_steps": planning.allowed(plan),
            "reevaluations": [_reevaluation(one) for one in plan.reevaluations.all()],
            "versions": versions_of(plan),
            "history": [_step(event) for event in plan.history.select_related("by")],
        }


def _consent(plan):
    """The patient's latest informed consent; `signed_at` is null for one that a chart file brought."""
    form = consenting.latest(plan.patient)
    return form and {
        "name": form.signer,
        "signed_on": form.signed_on,
        "signed_at": form.signed_at,
        "version": form.document_version,
        "covers_thrust": form.covers_thrust,
        "withdrawn_at": form.withdrawn_at,
    }


def _agreement(plan):
    """The signature under this version of the plan."""
    signed = Agreement.objects.filter(version__plan=plan, version__number=plan.version).first()
    return signed and {"name": signed.typed_name, "signed_at": signed.signed_at, "digest": signed.digest}


def versions_of(plan):
    """Each version that was kept, the first one first; what it said is at `versions/NUMBER/`."""
    signed = {row.version_id: row for row in Agreement.objects.filter(version__plan=plan).order_by("-signed_at", "-pk")}
    rows = plan.versions.select_related("written_by").defer("document")
    return [_version(row, signed.get(row.pk)) for row in rows]


def _version(row, signed):
    return {
        "number": row.number,
        "written_at": row.written_at,
        "written_by": str(row.written_by),
        "reason": row.reason,
        "digest": row.digest,
        "agreed_at": signed and signed.signed_at,
        "agreed_by": signed and signed.typed_name,
    }


def version_in_full(row):
    """With the document word by word, and what it says differently from the version before."""
    earlier = versions.before(row)
    changes = versions.changes(earlier.document, row.document) if earlier else []
    signed = row.agreements.order_by("signed_at", "pk").first()
    return {**_version(row, signed), "document": row.document, "changes": changes}


def _step(event):
    """`by` is null where it was the patient, by a link."""
    return {
        "step": event.step,
        "at": event.at,
        "by": event.by and str(event.by),
        "from_status": event.from_status,
        "to_status": event.to_status,
        "reason": event.reason,
    }


def _discharge(plan):
    """Null until somebody was discharged; `measures` are the goals as they were last measured."""
    one = Discharge.objects.filter(plan=plan).first()
    names = ("reason", "why", "measures", "pgic", "residual", "home", "return_if", "summary_to", "at")
    return one and {name: getattr(one, name) for name in names}


def _reevaluation(one):
    """`proposed` is what the table said, null where data were missing; `evidence` the data that were there."""
    return {
        "evaluation": one.evaluation_id,
        "at": one.at,
        "proposed": one.proposed or None,
        "result": one.result,
        "decision": one.decision,
        "reason": one.reason,
        "evidence": one.evidence,
    }


def _progress(plan):
    """Null before the plan has visits; `pace` is on_pace, behind or lost, and null while the plan does not run.

    `reevaluation_stops_more`: it is so long overdue that the plan gets no further visits.
    """
    found = progress.of_plan(plan)
    return found and {
        **{
            name: getattr(found.visits, name)
            for name in ("planned", "fulfilled", "booked", "owed", "overdue", "missed")
        },
        "next_on": found.visits.next_on,
        "reevaluation_due_on": found.checkpoint.due_on,
        "reevaluation_visits_left": found.checkpoint.visits_left,
        "reevaluation_stops_more": found.checkpoint.stops_more,
        "pace": found.pace if plan.is_active else None,
        "reason": found.reason if plan.is_active else "",
    }


def _goals(plan):
    rows = list(plan.goals.all())
    current = goals.current(plan, rows)
    return [_goal(row, current.get(row.pk)) for row in rows]


def _goal(row, now):
    """`current`, `measured_on` and `attainment` (0 to 1) are null until a later evaluation has measured it."""
    return {
        "metric": row.metric,
        "unit": row.unit,
        "baseline": row.baseline,
        "target": row.target,
        "due_on": row.due_on,
        "current": now and now.value,
        "measured_on": now and now.on,
        "attainment": now and round(now.share, 3),
    }


def brief(plan, hold):
    """`status` is `on_hold` also while a red flag holds the plan up; `safety_hold` then says since when and why."""
    return {
        "id": plan.pk,
        "status": CarePlan.Status.ON_HOLD if hold else plan.status,
        "safety_hold": hold and {"since": _local(hold.since, plan), "because": list(hold.because)},
        "patient": {"id": plan.patient_id, "name": plan.patient.name},
        "evaluation": plan.evaluation_id,
        "practitioner": {"id": plan.practitioner_id, "name": plan.practitioner.name},
        "location": {"slug": plan.location.slug, "name": plan.location.name},
        "starts_on": plan.starts_on,
        "reevaluate_by": plan.reevaluate_by,
        "series": plan.series_id,
    }


def _local(moment, plan):
    return times.local(moment, plan.location.time_zone).isoformat()
