"""Pages of incidents: what waits to be looked into, and one of them with every step that was taken."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations.models import Incident, VisitNote
from evaluations.notes import note_fields, note_signing, note_texts
from evaluations.safety import incidents
from locations import access

SHOWN = 200


def rows():
    return Incident.objects.select_related("patient", "location", "opened_by", "note__appointment__practitioner__user")


@require_GET
@requires("incident.read")
def listing(request):
    """Those not closed, the newest first; `?state=closed` shows the closed ones."""
    state = request.GET.get("state", "")
    if state not in {"", "closed"}:
        raise BadRequest("There is no such list.")
    found = rows().visible_to(request.user)
    waiting = found.exclude(status=Incident.Status.CLOSED)
    shown = list((found.filter(status=Incident.Status.CLOSED) if state else waiting)[:SHOWN])
    audit.record_all("incident.listed", shown, by=request.user)
    lines = [{"incident": one, "at": times.local(one.opened_at, one.location.time_zone)} for one in shown]
    context = {"lines": lines, "state": state, "waiting": len(shown) if not state else waiting.count()}
    return render(request, "evaluations/incidents.html", context)


@require_http_methods(["GET", "POST"])
@requires("incident.read", POST="incident.change")
def incident(request, pk):
    found = rows().visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    if request.method == "GET":
        audit.record("incident.viewed", on=found, by=request.user)
        return _page(request, found)
    step = request.POST.get("step", "")
    if step not in incidents.STEPS:
        raise BadRequest("There is no such step.")
    try:
        incidents.take(step, found, by=request.user, text=request.POST.get("text", "").replace("\r\n", "\n"))
    except RuleBroken as broken:
        return _page(request, found, broken=broken)
    messages.success(request, "Recorded.")
    return redirect("incident", pk=pk)


def _page(request, found, *, broken=None):
    zone = found.location.time_zone
    said = found.note.content
    may_read = VisitNote.objects.visible_to(request.user).filter(pk=found.note_id).exists()
    told = [note_fields.FIELDS[code] for code in ("reaction", *note_signing.OF_A_REACTION)]
    context = {
        "incident": found,
        "at": times.local(found.opened_at, zone),
        "visit": times.local(found.note.appointment.starts_at, zone),
        "told": [(field.label, note_texts.in_words(field, said.get(field.code))) for field in told],
        "steps": [(one, times.local(one.at, zone)) for one in found.steps.select_related("by")],
        "ways": incidents.steps_for(found, request.user),
        "may_read_note": may_read and access.can(request.user, "evaluation.read", found.location),
        "broken": broken,
        "typed": request.POST,
    }
    return render(request, "evaluations/incident.html", context, status=broken.status if broken else 200)
