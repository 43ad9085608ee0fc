"""Every address, every method, everybody: the answer is what the one access table says, and nothing else."""

from functools import partial, partialmethod
from unittest import mock

import pytest
from django.apps import apps

from clinic import policy
from locations import access
from patients.models import ChartOpening
from tests.access import addresses, expected, world
from tests.access.addresses import ask, nothing_stays
from tests.test_addresses import RULES_ONLY

OURS = [a for a in addresses.ours() if expected.about(a) or not a.parameters]  # else test_addresses says so
REFUSED = {"sign in", "forbidden", "missing"}


def wanted(principal, action, *, is_about_here: bool) -> str:
    """sign in, forbidden, missing or done; `harmless` where only that nothing is written can be said."""
    if action in {policy.PUBLIC, policy.LINK}:
        return "done"
    if action == policy.SERVICE:  # without the secret nobody does anything there
        return "harmless"
    if principal.user is None:
        return "sign in"
    if action == policy.SIGNED_IN:
        return "harmless"
    if principal.cell(action) is None:
        return "forbidden"
    if not principal.reaches(action, "here"):
        return "missing" if is_about_here else "harmless"
    return "harmless" if principal.cell(action) == access.OWN and principal.held != world.HERE else "done"


def outcome(answer) -> str:
    if answer.leads_to_sign_in:
        return "sign in"
    names = {403: "forbidden", 404: "missing"}
    return names.get(answer.status, "done" if answer.status < 400 else str(answer.status))


def everything(clinics, principals, wanted=lambda address, method: True):
    """Sentences about wrong answers, as they are found."""
    for principal in principals:
        for address in OURS:
            for method in address.actions:
                if wanted(address, method):
                    for fault in check(clinics, principal, address, method):
                        yield f"{method} {address} as {principal}: {fault}"


@pytest.mark.parametrize("role", [*world.ROLES, ""])
def test_everybody_gets_what_the_table_says(clinics, role):
    faults = list(everything(clinics, [p for p in clinics.principals if p.role == role]))

    assert not faults, "\n" + "\n".join(faults)


def check(clinics, principal, address, method):
    action, good = address.actions[method], expected.GOOD.get(f"{method} {address.template}")
    is_about_here = bool(address.parameters) or address.template in expected.ASKED
    should = wanted(principal, action, is_about_here=is_about_here)
    with nothing_stays():
        if good:
            with mock.patch.dict(access.TABLE, world.TABLE):  # as it was, if a test has changed it
                good.before(clinics.here)
        answer = ask(principal, method, expected.path(address, clinics.here), good.body(clinics.here) if good else None)
    did = outcome(answer)
    if answer.status >= 500:
        yield f"answers {answer.status}"
    if leaked := leaks(clinics, principal, action, answer):
        yield f"shows {', '.join(leaked)}"
    if did == "405" and good is None and not address.is_api:
        return
    yield from judge(method, good, should, did, answer)


def judge(method, good, should, did, answer):
    written = answer.written - addresses.ANYBODYS
    if method == "GET":
        if written - {"clinic_auditentry"}:
            yield f"writes {written} although it is only looked at"
        if should != "harmless" and did != should:
            yield f"should be {should}, is {did}"
    elif good is None and (should == "done" or did not in REFUSED):
        yield "say in tests/access/expected.py, GOOD, what a good request holds"
    elif should == "done":
        if did != "done" or not (written or not good.changes):
            yield f"should be done, is {did} and writes {written or 'nothing'}: {answer.text[-300:]}"
    elif written or (should != "harmless" and did != should):
        yield f"should be {should}, is {did} and writes {written or 'nothing'}"


def leaks(clinics, principal, action, answer) -> list[str]:
    """Words of a side that this person has no business to see."""
    if action == policy.LINK:
        return []
    found = []
    for side in ("here", "there"):
        hidden = set(world.SEEN_WITH) - (principal.may_see(side) if principal.user else set())
        found += [w for kind in sorted(hidden) if (w := world.word(side, kind)).lower() in answer.text.lower()]
    return found


# --- the tests above can fail


# What an address does only for those who may also do something else there: alone, the row opens nothing.
NOT_ALONE = {
    "careplan.schedule",  # it books, so `appointment.create` is asked for too
    "incident.change",  # of an incident that may be seen
}
# Asked beside the row: that one treats patients here oneself.
TREATING = {"evaluation.sign", "evaluation.amend"}
FLIPS = {
    None: [access.ALL],
    access.ALL: [None],
    access.HERE: [None, access.ALL],
    access.TREATED: [None, access.ALL],  # that it is less than HERE: test_treatment
    access.OWN: [None],
}


@pytest.mark.parametrize("role", world.ROLES)
def test_every_cell_of_the_table_is_tried(clinics, monkeypatch, role):
    """Each cell changed under the code: somebody gets another answer than the table says, and it is noticed."""
    principals = [p for p in clinics.principals if p.role == role and p.held != world.GROUP]
    unnoticed = []
    for action in set(world.TABLE) - RULES_ONLY:
        for flipped in FLIPS[world.TABLE[action].get(role)]:
            if flipped == access.ALL and (action in NOT_ALONE or (action in TREATING and role != access.CLINICIAN)):
                continue
            cells = {**world.TABLE[action], role: flipped}
            with monkeypatch.context() as patch:
                patch.setitem(access.TABLE, action, {r: cell for r, cell in cells.items() if cell})
                if not any(everything(clinics, principals, partial(declares, action))):
                    unnoticed.append(f"{action}: {role} may {flipped or 'never'}")

    assert not unnoticed, "\n" + "\n".join(unnoticed)


def declares(action, address, method):
    return address.actions[method] == action


# Shown without a name where the patient is out of sight, so that the lost scope of the rows alone shows nothing.
TWICE_SCOPED = {ChartOpening}
SCOPED = [m for m in apps.get_models() if hasattr(m._default_manager, "visible_to")]


def test_rows_without_their_scope_are_noticed(clinics, monkeypatch):
    """Each scope dropped under the code; but for those of rows that nobody elsewhere comes to ask for."""
    principals = [clinics.principal(role, world.ELSEWHERE) for role in (access.MANAGER, access.CLINICIAN, access.DESK)]
    looked_at = partial(everything, clinics, principals, lambda address, method: method == "GET" or address.is_api)
    rows_of = {model: type(model._default_manager.all()) for model in SCOPED}
    asked = set()
    with monkeypatch.context() as patch:
        for model, rows in rows_of.items():
            patch.setattr(rows, "visible_to", partialmethod(_noted, asked, model, rows.visible_to))
        assert not list(looked_at())
    unnoticed = []
    for model in asked:
        with monkeypatch.context() as patch:
            patch.setattr(rows_of[model], "visible_to", lambda rows, user, action=None: rows)
            if not any(looked_at()):
                unnoticed.append(model)

    assert len(asked) > 3
    assert set(unnoticed) <= TWICE_SCOPED


def _noted(rows, asked, model, scope, *whom):
    asked.add(model)
    return scope(rows, *whom)
