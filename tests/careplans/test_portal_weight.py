"""What a patient's phone loads to see the plan that runs; the other pages are in `tests/test_first_load.py`."""

from datetime import timedelta

from careplans import plan_links
from clinic import times, tokens
from tests import weights


def test_a_running_plan_opens_with_at_most_100_kb(client, active):
    """Measured 317 KB with Bootstrap."""
    token = tokens.issue_link(purpose=plan_links.PURPOSE, on=active, expires_at=times.now() + timedelta(days=1))
    page = client.get(f"/my/plan/{token}/").content

    assert "clinic/patient.css" in weights.named_in(page.decode())
    assert weights.weight(page) <= weights.MOST
