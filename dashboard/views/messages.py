from django import forms
from django.contrib import messages as notes
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from clinic import outbox, times
from clinic.models import Message
from clinic.policy import requires
from locations import access
from locations.current import current
from patients import mails

A_PAGE = 50
NEEDS_ATTENTION = [Message.Status.FAILED, Message.Status.BOUNCED]


class Filter(forms.Form):
    status = forms.ChoiceField(required=False, label="Show", choices=[("", "All messages"), *Message.Status.choices])


@require_GET
@requires("message.read")
def listing(request):
    """Times are those of the current location, else of none: UTC."""
    found = mails.visible_to(request.user, "message.read")
    chosen = Filter(request.GET)
    status = chosen.cleaned_data["status"] if chosen.is_valid() else ""
    page = Paginator(found.filter(status=status) if status else found, A_PAGE).get_page(request.GET.get("page"))
    place = current(request)
    zone = place.time_zone if place else "UTC"
    health = outbox.health()
    can_retry = access.can(request.user, "message.retry")
    context = {
        "page": page,
        "rows": [
            {
                "message": message,
                "why": outbox.why(message),
                "due": times.local(message.due_at, zone),
                "sent": times.local(message.sent_at, zone) if message.sent_at else None,
                "can_retry": can_retry and message.status in NEEDS_ATTENTION,
            }
            for message in page
        ],
        "filter": chosen,
        "status": status,
        "health": health,
        "oldest": health.oldest_due_at and times.local(health.oldest_due_at, zone),
        "beat": health.last_beat_at and times.local(health.last_beat_at, zone),
        "opens_patients": access.can(request.user, "patient.read"),
    }
    return render(request, "dashboard/messages.html", context)


@require_POST
@requires("message.retry")
def try_again(request, pk):
    message = get_object_or_404(mails.visible_to(request.user, "message.retry"), pk=pk)
    if mails.try_again(message, by=request.user):
        notes.success(request, "It will be tried again within a minute.")
    else:
        notes.warning(request, "It is not waiting for you: look at its status.")
    return redirect("messages")
