import pytest
from django.core.management import CommandError, call_command

from clinic.models import AuditEntry, User
from locations import access


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("OWNER_PASSWORD", "a-long-sentence-of-words")


def test_the_owner_may_do_everything_everywhere_and_is_audited(db):
    call_command("create_owner", "Ada@Example.org", "Ada Sample")

    ada = User.objects.get(email="ada@example.org")
    assert access.location_ids(ada, "user.read") is None
    assert ada.check_password("a-long-sentence-of-words")
    assert AuditEntry.objects.get().action == "user.created"


def test_a_weak_password_is_refused_and_nothing_is_left(db, monkeypatch):
    monkeypatch.setenv("OWNER_PASSWORD", "short")

    with pytest.raises(CommandError, match="too short"):
        call_command("create_owner", "ada@example.org", "Ada Sample")
    assert not User.objects.exists()


def test_the_same_address_twice_is_refused(db):
    call_command("create_owner", "ada@example.org", "Ada Sample")

    with pytest.raises(CommandError, match="already"):
        call_command("create_owner", "ADA@example.org", "Ada Sample")
