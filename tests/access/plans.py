"""A care plan of a side: in the state that an address needs, and as its form and its body hold it."""

import json

from careplans import planning
from careplans.models import CarePlan
from clinic import times
from tests import signing
from tests.access.world import plan_of


def standing_at(status):
    return lambda side: CarePlan.objects.filter(pk=side.plan.pk).update(status=status)


def is_ready(side):
    planning.sign_consent(side.plan, name="Avery Testerson", by=side.chiro.user)


def is_active(side):
    is_ready(side)
    planning.activate(side.plan, by=side.chiro.user)


def is_to_be_judged(side):
    is_active(side)
    at = times.now()
    side.patient.evaluations.create(
        location=side.place, started_by=side.chiro.user, started_at=at, kind="reevaluation", status="signed",
        signed_by=side.chiro.user, signed_at=at, digest="0" * 64,
    )  # fmt: skip


def is_to_be_asked(side):
    is_active(side)
    signing.may_be_written_to(side.patient)


DISCHARGED = {"reason": "goals_met", "return_if": "It comes back."}
JUDGED = {"result": "unknown", "decision": "go_on", "reason": "Sleeps again."}


def form(side):
    said = plan_of(side.place, side.name)
    rows = {"phases-TOTAL_FORMS": 1, "phases-INITIAL_FORMS": 0, "goals-TOTAL_FORMS": 1, "goals-INITIAL_FORMS": 0}
    for kind in ("phases", "goals"):
        rows |= {f"{kind}-0-{name}": value for name, value in said[kind][0].items()}
    return {
        **{name: said[name] for name in ("starts_on", "reevaluate_by", "note")}, **rows, "location": side.place.pk,
        "practitioner": side.chiro.pk, "reevaluate_after_visits": 12,
    }  # fmt: skip


def body(side):
    said = json.loads(json.dumps(plan_of(side.place, side.name), default=str))
    return {**said, "location": side.place.slug, "practitioner": side.chiro.pk, "evaluation": side.signed.pk}


def changed(side):
    rows = {"phases-INITIAL_FORMS": 1, "goals-INITIAL_FORMS": 1}
    return {**form(side), **rows, "version": side.plan.version}


def revision(side):
    return {name: value for name, value in body(side).items() if name != "evaluation"} | {"version": side.plan.version}


_SCHEDULE = {"weekdays": [0, 1, 2, 3, 4], "at_time": "10:00"}


def nothing(side):
    return {}


def at_once(side):
    return None


# By address: the form or body, and what brings the plan into the state that it needs.
POSTS = {
    "POST care-plans/new/": (form, at_once),
    "POST care-plans/{pk}/edit/": (changed, at_once),
    "POST care-plans/{pk}/consent/": (lambda side: signing.BOTH | signing.shown(side.plan), at_once),
    "POST care-plans/{pk}/consent/withdraw/": (lambda side: {"reason": "Wants to wait."}, is_ready),
    "POST care-plans/{pk}/re-evaluation/": (lambda side: JUDGED, is_to_be_judged),
    "POST care-plans/{pk}/step/": (lambda side: {"step": "activate"}, is_ready),
    "POST care-plans/{pk}/ask-to-book/": (nothing, is_to_be_asked),
    "POST api/v1/care-plans/": (body, at_once),
    "POST api/v1/care-plans/{pk}/revise/": (revision, at_once),
    "POST api/v1/care-plans/{pk}/consent/": (
        lambda side: {"name": "Avery Testerson"} | signing.shown(side.plan),
        at_once,
    ),
    "POST api/v1/care-plans/{pk}/consent/withdraw/": (lambda side: {"reason": "Wants to wait."}, is_ready),
    "POST api/v1/care-plans/{pk}/activate/": (nothing, is_ready),
    "POST api/v1/care-plans/{pk}/hold/": (nothing, standing_at("active")),
    "POST api/v1/care-plans/{pk}/resume/": (nothing, standing_at("on_hold")),
    "POST api/v1/care-plans/{pk}/complete/": (nothing, standing_at("active")),
    "POST api/v1/care-plans/{pk}/discontinue/": (lambda side: {"reason": "Moved away."}, at_once),
    "POST care-plans/{pk}/discharge/": (lambda side: DISCHARGED, is_active),
    "POST api/v1/care-plans/{pk}/discharge/": (lambda side: DISCHARGED, is_active),
    "POST api/v1/care-plans/{pk}/reevaluate/": (lambda side: JUDGED, is_to_be_judged),
    "POST api/v1/care-plans/{pk}/schedule/": (lambda side: _SCHEDULE, is_active),
}
