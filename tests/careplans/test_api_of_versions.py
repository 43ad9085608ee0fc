"""What the API tells of a plan's restrictions, versions and history, and taking back consent."""

from careplans import blocks, planning, revising
from careplans.models import CarePlan

VERSION, WITHDRAW = "/api/v1/care-plans/{}/versions/{}/", "/api/v1/care-plans/{}/consent/withdraw/"


def test_restrictions_versions_and_history(api, active, chiro, atlanta, said):
    planning.restrict(active, "no_hvla", by=chiro.user)
    changed = said | {"note": "Mornings.", "interventions": ["nucca"], "reason": "Softer."}
    revising.revise(active, seen=1, by=chiro.user, practitioner=chiro, location=atlanta, **changed)
    client = api(chiro.user)

    shown = client.get(f"/api/v1/care-plans/{active.pk}/").json()
    first, second = (client.get(VERSION.format(active.pk, number)).json() for number in (1, 2))

    assert shown["restrictions"] == ["no_hvla"]
    assert [(one["number"], one["reason"], one["agreed_by"]) for one in shown["versions"]] == [
        (1, "", "Avery Testerson"), (2, "Softer.", None),
    ]  # fmt: skip
    steps = [(one["step"], one["to_status"], one["by"]) for one in shown["history"]]
    assert ("activated", "active", str(chiro.user)) in steps
    assert steps[-1][0] == "revised"
    assert (first["document"]["title"], first["changes"], second["agreed_at"]) == ("Care plan", [], None)
    assert {one["what"] for one in second["changes"]} >= {"Note", "Technique"}
    assert client.get(VERSION.format(active.pk, 3)).status_code == 404


def test_consent_is_taken_back_once_and_with_a_reason(api, active, chiro, desk):
    client, address = api(chiro.user), WITHDRAW.format(active.pk)

    bare = client.post(address, {}, format="json")
    done = client.post(address, {"reason": "Wants to wait."}, format="json")
    again = client.post(address, {"reason": "Wants to wait."}, format="json")

    assert (bare.status_code, list(bare.json()["fields"])) == (400, ["reason"])
    assert (done.status_code, again.status_code) == (200, 200)
    assert done.json()["consent"]["withdrawn_at"] == again.json()["consent"]["withdrawn_at"]
    assert [one["code"] for one in done.json()["blocks"]] == ["consent_withdrawn"]
    assert blocks.now(CarePlan.objects.get(pk=active.pk))[0].stops_running
    assert api(desk).post(address, {"reason": "x"}, format="json").status_code == 403


def test_where_nobody_signed_there_is_nothing_to_take_back(api, draft, chiro):
    answer = api(chiro.user).post(WITHDRAW.format(draft().pk), {"reason": "x"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "consent_missing")
