"""The story of one real evaluation: every finding in through the API, on the form, signed, printed, unchanged."""

import html

import pytest
from django.urls import reverse

from evaluations import catalogue, finding_paths, recording, signing, summary
from evaluations.models import Evaluation
from tests.evaluations.conftest import CHARTS, read_chart


def by_place(findings):
    return {(f["code"], catalogue.key_of(f["qualifiers"])): f for f in findings}


def as_answered(finding):
    return {"reason": "", "note": "", **finding}


def test_every_finding_goes_in_by_the_api_and_comes_back_unchanged(api, chiro, answered, sent):
    client = api(chiro.user)
    address = f"/api/v1/evaluations/{answered.pk}/"

    saved = client.patch(address, {"version": 0 + answered.version, "findings": sent}, format="json")

    assert saved.status_code == 200, saved.json()
    assert by_place(client.get(address).json()["findings"]) == by_place(map(as_answered, sent))
    assert len(sent) == 455


def test_every_finding_is_on_the_form_with_its_value(sign_in, chiro, evaluation, save, sent):
    save(*sent)
    client = sign_in(chiro.user)
    controls = {}
    for part in catalogue.PARTS:
        page = client.get(reverse("evaluation", args=[evaluation.pk]), {"part": part.code})
        for section in page.context["sections"]:
            for row in section.rows:
                for cell in row.cells:
                    controls[cell.code, cell.qualifier_key] = (cell, page.content.decode())

    for finding in evaluation.findings.all():
        cell, page = controls[finding.code, finding.qualifier_key]
        assert cell.status == finding.status
        assert cell.value == finding.value
        assert f'name="{html.escape(cell.name)}value"' in page


def test_it_is_signed_and_printed_unchanged(password_asked, answered, save, sent):
    save(*sent, version=answered.version)
    client = password_asked

    client.post(reverse("evaluation-sign", args=[answered.pk]), {"version": answered.version})
    answered.refresh_from_db()
    page = html.unescape(client.get(reverse("evaluation-print", args=[answered.pk])).content.decode())

    assert answered.status == Evaluation.Status.SIGNED
    assert signing.is_intact(answered)
    assert answered.digest in page
    for _, lines in summary.lines(list(answered.findings.all()), summary.who(answered)):
        for line in lines:
            assert (
                f'data-finding="{line.finding.code} {line.finding.qualifier_key}">{line.shown or line.status}' in page
            )


@pytest.mark.parametrize("name", sorted(path.stem for path in CHARTS.glob("*.json")))
@pytest.mark.parametrize("when", ["baseline", "reevaluation"])
def test_a_chart_comes_out_as_it_went_in(save, evaluation, name, when):
    original = read_chart(name)[when]["evaluation"]

    save(*finding_paths.read_findings(original))

    stored = [recording.finding_rows.as_sent(f) for f in evaluation.findings.all()]
    written = finding_paths.write_findings(stored)
    assert written == {group: original[group] for group in finding_paths.GROUPS}


def test_an_unknown_path_is_named():
    with pytest.raises(finding_paths.UnknownPath, match=r"rom\.active\.shrug"):
        finding_paths.read_findings({"rom": {"active": {"shrug": {"status": "assessed", "value": 1}}}})
