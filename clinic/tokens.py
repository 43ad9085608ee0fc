"""Secrets handed out once and stored hashed: links in mails and API keys."""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.db.models import F

from clinic import times
from clinic.models import ApiToken, Link

AGAIN_FOR = timedelta(minutes=10)  # after which a button that is pressed twice was not pressed twice by mistake
_batch: ContextVar[list | None] = ContextVar("batch", default=None)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue_link(*, purpose: str, on, expires_at) -> str:
    """A new link token (43 characters); only its hash is stored."""
    token = secrets.token_urlsafe(32)
    row = Link(
        token_hash=hashed(token),
        purpose=purpose,
        about=on._meta.label_lower,
        about_id=on.pk,
        expires_at=expires_at,
    )
    if (batch := _batch.get()) is None:
        row.save(force_insert=True)
    else:
        batch.append(row)
    return token


@contextmanager
def written_together():
    """Links issued inside are stored by one statement at the end; none is, where it ends with an error."""
    mark = _batch.set(rows := [])
    try:
        yield
        Link.objects.bulk_create(rows, batch_size=500)
    finally:
        _batch.reset(mark)


def find_link(token: str, *, purpose: str | Collection[str]) -> Link | None:
    """The link, or None alike for wrong, expired, revoked and foreign-purpose tokens: none tells which."""
    purposes = [purpose] if isinstance(purpose, str) else purpose
    link = Link.objects.filter(token_hash=hashed(token), purpose__in=purposes, revoked_at=None).first()
    return link if link and link.expires_at > times.now() else None


def find_used_link(token: str, *, purpose: str) -> Link | None:
    """The link that was spent so shortly ago that who comes with it again may have pressed its button twice."""
    rows = Link.objects.filter(token_hash=hashed(token), purpose=purpose)
    return rows.filter(used_at__gt=times.now() - AGAIN_FOR).first()


def use_link(link: Link) -> bool:
    """Spend the link; False when it was spent or revoked meanwhile, so that of two clicks only one acts."""
    now = times.now()
    return bool(Link.objects.filter(pk=link.pk, revoked_at=None).update(used_at=now, revoked_at=now))


def revoke_links(*, purpose: str, on) -> None:
    """No link of that purpose to the thing works any more."""
    about = on._meta.label_lower
    Link.objects.filter(purpose=purpose, about=about, about_id=on.pk, revoked_at=None).update(revoked_at=times.now())


def note_wrong_try(link: Link, *, most: int) -> int:
    """Count a wrong answer; returns how many tries are left, and with none left the link is dead."""
    Link.objects.filter(pk=link.pk).update(wrong_tries=F("wrong_tries") + 1)
    link.refresh_from_db(fields=["wrong_tries"])
    if link.wrong_tries >= most:
        Link.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=times.now())
    return max(most - link.wrong_tries, 0)


def issue_api_token(user, *, days: int = 365) -> str:
    token = f"atlas_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(user=user, token_hash=hashed(token), expires_at=times.now() + timedelta(days=days))
    return token


def find_api_token(token: str) -> ApiToken | None:
    found = ApiToken.objects.select_related("user").filter(token_hash=hashed(token), revoked_at=None).first()
    return found if found and found.expires_at > times.now() and found.user.is_active else None
