"""The mail with which somebody is invited to work here; read off the invitations."""

from datetime import timedelta

from django.conf import settings
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.urls import reverse

from clinic import outbox, times, tokens
from clinic.models import Message
from clinic.outbox import Due, Mail, Skip
from locations.models import Invitation
from locations.staffing import INVITATION_FOR, PURPOSE

KINDS = {"staff-invitation": "somebody was invited to work here"}
WATCHED = (Invitation,)
STILL_SENT_WITHIN = timedelta(days=2)


def due(at, since) -> list[Due]:
    key = Concat(Value("invitation:"), Cast(F("pk"), CharField()), output_field=CharField())
    found = outbox.not_yet_owed(Invitation.objects.filter(at__gt=since, at__lte=at, accepted_at=None), key)
    return [
        Due(f"invitation:{one.pk}", "staff-invitation", "locations.invitation", one.pk, None, one.at,
            one.at + STILL_SENT_WITHIN)
        for one in found
    ]  # fmt: skip


def compose(message: Message) -> Mail | Skip:
    """The link is made now and works for a week."""
    invitation = Invitation.objects.select_related("user", "by").get(pk=message.about_id)
    person = invitation.user
    if not person.is_active:
        return Skip("The sign-in was switched off since.")
    if invitation.accepted_at or person.has_usable_password():
        return Skip("They have chosen a password already.")
    if person.invitations.filter(pk__gt=invitation.pk).exists():
        return Skip("They were invited again since.")
    token = tokens.issue_link(purpose=PURPOSE, on=person, expires_at=times.now() + INVITATION_FOR)
    url = settings.BASE_URL + reverse("welcome", args=[token])
    content = {"person": person, "by": invitation.by, "url": url, "days": INVITATION_FOR.days}
    return Mail(
        to=person.email,
        subject="Your sign-in to Atlas",
        text=render_to_string("locations/mail/invitation.txt", content),
        html=render_to_string("locations/mail/invitation.html", content),
        secrets=(url,),
    )
