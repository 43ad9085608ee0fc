"""Secrets handed out once and stored hashed: links in mails and API keys."""

import hashlib
import secrets
from datetime import timedelta

from clinic import times
from clinic.models import ApiToken, Link


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue_link(*, purpose: str, on, expires_at) -> str:
    """A new link token (43 characters); only its hash is stored."""
    token = secrets.token_urlsafe(32)
    Link.objects.create(
        token_hash=hashed(token),
        purpose=purpose,
        about=on._meta.label_lower,
        about_id=on.pk,
        expires_at=expires_at,
    )
    return token


def find_link(token: str, *, purpose: str) -> Link | None:
    """The link, or None alike for wrong, expired, revoked and foreign-purpose tokens: none tells which."""
    link = Link.objects.filter(token_hash=hashed(token), purpose=purpose, revoked_at=None).first()
    return link if link and link.expires_at > times.now() else None


def issue_api_token(user, *, days: int = 365) -> str:
    token = f"atlas_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(user=user, token_hash=hashed(token), expires_at=times.now() + timedelta(days=days))
    return token


def find_api_token(token: str) -> ApiToken | None:
    found = ApiToken.objects.select_related("user").filter(token_hash=hashed(token), revoked_at=None).first()
    return found if found and found.expires_at > times.now() and found.user.is_active else None
