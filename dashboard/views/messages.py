from datetime import timedelta

from django import forms
from django.contrib import messages as notes
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinic import audit, outbox, times
from clinic.errors import RuleBroken
from clinic.models import Message
from clinic.policy import requires
from dashboard import mail_forecast
from locations import access
from locations.current import current
from patients import mail_choices, mails
from patients.models import Patient

A_PAGE = 50
COUNTED = timedelta(days=7)
S = Message.Status
# What the counts on the page add up.
OUTCOMES = (
    ("Sent", (S.SENT, S.SENT_MAYBE_TWICE), "sent"),
    ("Failed", (S.FAILED,), "failed"),
    ("Came back", (S.BOUNCED,), "bounced"),
    ("Skipped", (S.SKIPPED,), "skipped"),
    ("Missed its time", (S.MISSED,), "missed"),
)


class Filter(forms.Form):
    """`status` as the counts group them; `recent` where it opens what a count counts."""

    status = forms.ChoiceField(required=False, label="Show", choices=[("", "All messages"), *Message.Status.choices])
    recent = forms.BooleanField(required=False)

    def of(self, messages):
        """These of the messages; an odd question is none."""
        self.is_valid()
        said = self.cleaned_data
        if status := said.get("status"):
            grouped = {name: statuses for _, statuses, name in OUTCOMES}
            messages = messages.filter(status__in=grouped.get(status, [status]))
        return _recent(messages) if said.get("recent") else messages


@require_GET
@requires("message.read")
def listing(request):
    """Times are those of the current location, else of none: UTC."""
    found = mails.visible_to(request.user, "message.read")
    chosen = Filter(request.GET)
    page = Paginator(chosen.of(found), A_PAGE).get_page(request.GET.get("page"))
    place = current(request)
    zone = place.time_zone if place else "UTC"
    health = outbox.health()
    can_retry = access.can(request.user, "message.retry")
    context = {
        "page": page,
        "rows": [_row(message, zone, can_retry) for message in page],
        "filter": chosen,
        "status": chosen.cleaned_data.get("status", ""),
        "is_recent": chosen.cleaned_data.get("recent", False),
        "health": health,
        "oldest": health.oldest_due_at and times.local(health.oldest_due_at, zone),
        "waits_until": health.waits_until and times.local(health.waits_until, zone),
        "beat": health.last_beat_at and times.local(health.last_beat_at, zone),
        "worker": health.last_worker_at and times.local(health.last_worker_at, zone),
        "counts": _counts(found),
        "counted_days": COUNTED.days,
        "faulty": mails.at_faulty_addresses(request.user).count(),
        "opens_patients": access.can(request.user, "patient.read"),
    }
    return render(request, "dashboard/messages.html", context)


def _row(message, zone, can_retry):
    return {
        "message": message,
        "why": outbox.why(message),
        "due": times.local(message.due_at, zone),
        "sent": times.local(message.sent_at, zone) if message.sent_at else None,
        "delivered": times.local(message.delivered_at, zone) if message.delivered_at else None,
        "can_retry": can_retry and outbox.may_try_again(message),
    }


def _name(user, patient):
    """Who may not read charts learns that something was sent, not to whom by name."""
    return str(patient) if access.can(user, "patient.read") else f"Patient {patient.pk}"


def _recent(messages):
    now = times.now()
    return messages.filter(due_at__gt=now - COUNTED, due_at__lte=now)


def _counts(messages):
    found = outbox.counts(_recent(messages))
    return [
        {"label": label, "status": status, "count": sum(found.get(one, 0) for one in statuses)}
        for label, statuses, status in OUTCOMES
    ]


@require_GET
@requires("message.read")
def message(request, pk):
    """One mail as the patient saw it; that it was read is recorded."""
    found = get_object_or_404(mails.visible_to(request.user, "message.read"), pk=pk)
    audit.record("message.read", on=found, by=request.user)
    place = current(request)
    patient = Patient.objects.visible_to(request.user, "message.read").filter(pk=found.patient_id).first()
    can_retry = access.can(request.user, "message.retry")
    context = {**_row(found, place.time_zone if place else "UTC", can_retry), "patient": patient,
               "name": patient and _name(request.user, patient),
               "opens_patients": access.can(request.user, "patient.read")}  # fmt: skip
    return render(request, "dashboard/message.html", context)


@require_GET
@requires("message.read")
def of_patient(request):
    """Everything said to one patient, with what stands in the way of saying more."""
    typed = request.GET.get("patient", "")
    known = Patient.objects.visible_to(request.user, "message.read").select_related("home_location")
    patient = get_object_or_404(known, pk=typed if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0)
    audit.record("message.listed", on=patient, by=request.user)
    page = Paginator(mails.to_patient(patient), A_PAGE).get_page(request.GET.get("page"))
    zone = patient.home_location.time_zone
    can_retry = access.can(request.user, "message.retry")
    fault = mails.address_fault(patient)
    context = {
        "patient": patient,
        "name": _name(request.user, patient),
        "page": page,
        "rows": [_row(one, zone, can_retry) for one in page],
        "fault": fault,
        "fault_at": fault and times.local(fault.at, zone),
        "stopped": mail_choices.stopped_by(patient),
        "may_mend": access.can(request.user, "patient.write"),
        "opens_patients": access.can(request.user, "patient.read"),
    }
    return render(request, "dashboard/patient_messages.html", context)


@require_GET
@requires("message.read")
def tomorrow(request):
    """Who will get what until the end of tomorrow, and who will not and why."""
    lines = mail_forecast.until_tomorrow(request.user)
    days = {}
    for line in lines:
        at = times.local(line.due_at, line.zone)
        days.setdefault(at.date(), []).append({"line": line, "at": at, "name": _name(request.user, line.patient)})
    context = {
        "days": days.items(),
        "total": len(lines),
        "hindered": sum(bool(line.why_not) for line in lines),
        "opens_patients": access.can(request.user, "patient.read"),
    }
    return render(request, "dashboard/messages_tomorrow.html", context)


@require_GET
@requires("message.read")
def addresses(request):
    """Patients whose address takes no mail: call them, and put the right one into the chart."""
    found = mails.at_faulty_addresses(request.user).select_related("home_location")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [
            {
                "patient": one,
                "name": _name(request.user, one),
                "since": times.local(one.faulty_since, one.home_location.time_zone),
            }
            for one in page
        ],
        "may_mend": access.can(request.user, "patient.write"),
        "opens_patients": access.can(request.user, "patient.read"),
    }
    return render(request, "dashboard/addresses.html", context)


@require_POST
@requires("patient.write")
def mend_address(request, pk):
    patient = get_object_or_404(Patient.objects.visible_to(request.user, "patient.write"), pk=pk)
    if mails.mend(patient, by=request.user):
        notes.success(request, f"Mails go to {patient.email} again.")
    else:
        notes.warning(request, "Nothing stood against this address.")
    return redirect("message-addresses" if access.can(request.user, "message.read") else "today")


@require_POST
@requires("patient.write")
def resume(request, pk):
    """Take up again a kind of mail that the patient had stopped, with the reason."""
    patient = get_object_or_404(Patient.objects.visible_to(request.user, "patient.write"), pk=pk)
    topic = request.POST.get("topic", "")
    if topic not in mail_choices.Topic.values:
        raise BadRequest("There is no such kind of mail.")
    try:
        again = mail_choices.resume(
            patient, mail_choices.Topic(topic), by=request.user, reason=request.POST.get("reason", "")
        )
    except RuleBroken as refused:
        notes.error(request, refused.message)
    else:
        said = "The patient gets these mails again." if again else "These mails were not stopped."
        (notes.success if again else notes.warning)(request, said)
    if access.can(request.user, "message.read"):
        return redirect(f"{reverse('patient-messages')}?patient={patient.pk}")
    return redirect("today")


@require_POST
@requires("message.retry")
def try_again(request, pk):
    message = get_object_or_404(mails.visible_to(request.user, "message.retry"), pk=pk)
    if mails.try_again(message, by=request.user):
        notes.success(request, "It will be tried again within a minute.")
    else:
        notes.warning(request, "It is not waiting for you: look at its status.")
    return redirect("messages")
