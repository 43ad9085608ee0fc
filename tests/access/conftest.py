import logging

import pytest

from tests.access import world


@pytest.fixture
def clinics(db, monkeypatch):
    """The two clinics. That thousands of requests are refused is the point, so nobody logs it."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    return world.build()
