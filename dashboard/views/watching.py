"""Pages for those who watch over the records: who saw or changed what, and charts opened with a reason."""

from django import forms
from django.contrib import messages as notes
from django.core.paginator import Paginator
from django.db.models import F
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from appointments.forms import day_field
from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.policy import requires
from dashboard import audit_log
from locations import access
from locations.current import current
from patients import chart_opening, sight
from patients.models import ChartOpening, Patient

A_PAGE = 50


class Filter(forms.Form):
    patient = forms.IntegerField(label="Patient number", required=False, min_value=1, max_value=2**63 - 1)
    by = forms.ModelChoiceField(User.objects.none(), label="By", required=False, empty_label="Everybody")
    day = day_field(label="On", required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, data, *, user):
        super().__init__(data)
        self.fields["by"].queryset = audit_log.people(user)


@require_GET
@requires("audit.read")
def audit(request):
    """Latest first; older pages by the number of the last entry, so that no page has to count them all."""
    place = current(request)
    zone = place.time_zone if place else "UTC"
    chosen = Filter(request.GET, user=request.user)
    entries = audit_log.visible_to(request.user).select_related("by").order_by("-pk")
    if chosen.is_valid():
        entries = _narrowed(entries, chosen.cleaned_data, zone)
    shown = list(entries[: A_PAGE + 1]) if chosen.is_valid() else []
    kept = request.GET.copy()
    kept["before"] = shown[A_PAGE - 1].pk if len(shown) > A_PAGE else ""
    context = {
        "filter": chosen,
        "rows": _rows(shown[:A_PAGE], request.user, zone),
        "older": kept.urlencode() if kept["before"] else "",
        "is_filtered": any(chosen.data.get(name) for name in chosen.fields),
        "tabs": _tabs(request.user),
        "zone": zone,
    }
    return render(request, "dashboard/audit.html", context, status=200 if chosen.is_valid() else 400)


def _narrowed(entries, wanted, zone):
    if wanted["patient"]:
        entries = entries.filter(patient_id=wanted["patient"])
    if wanted["by"]:
        entries = entries.filter(by=wanted["by"])
    if wanted["day"]:
        entries = audit_log.on(entries, wanted["day"], zone)
    return entries.filter(pk__lt=wanted["before"]) if wanted["before"] else entries


def _rows(entries, user, zone):
    """Names of patients only for those who may see them; to the others a number."""
    names = _names(user, entries)
    return [
        {
            "at": times.local(entry.at, zone),
            "by": entry.by or entry.by_whom,
            "said": audit_log.said(entry),
            "about": audit_log.about(entry),
            "patient_id": entry.patient_id,
            "patient": names.get(entry.patient_id),
        }
        for entry in entries
    ]


def _names(user, rows) -> dict[int, str]:
    ids = {row.patient_id for row in rows if row.patient_id}
    return {patient.pk: patient.name for patient in Patient.objects.visible_to(user).filter(pk__in=ids)}


def _tabs(user):
    waiting = ChartOpening.objects.visible_to(user).unreviewed().count() if access.can(user, "chart.review") else 0
    return {"waiting": waiting, "audit": access.can(user, "audit.read"), "openings": access.can(user, "chart.review")}


@require_GET
@requires("chart.review")
def openings(request):
    return _openings(request)


def _openings(request, refused=None, status=200):
    """Those that nobody has looked at come first. `refused` is (opening id, form) of the one just sent."""
    found = ChartOpening.objects.visible_to(request.user).select_related("patient__home_location", "by", "reviewed_by")
    found = found.order_by(F("reviewed_at").desc(nulls_first=True), "-at")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    names = _names(request.user, page)
    late = times.now() - chart_opening.REVIEW_WITHIN
    rows = [
        {
            "opening": opening,
            "at": times.local(opening.at, opening.patient.home_location.time_zone),
            "sees_name": opening.patient_id in names,
            "is_late": opening.reviewed_at is None and opening.at < late,
            "is_mine": opening.by_id == request.user.pk,
            "form": refused[1] if refused and refused[0] == opening.pk else None,
        }
        for opening in page
    ]
    context = {"rows": rows, "page": page, "tabs": _tabs(request.user)}
    return render(request, "dashboard/openings.html", context, status=status)


@require_POST
@requires("chart.review")
def review(request, pk):
    """Say what was found when looking at an opening."""
    opening = sight.find(ChartOpening.objects.select_related("patient"), request.user, "chart.review", pk)
    finding = request.POST.get("finding", "")
    try:
        chart_opening.review(opening, finding=finding, by=request.user)
    except RuleBroken as refused:
        said = {"finding": finding, "said": refused.fields.get("finding", refused.message)}
        return _openings(request, refused=(pk, said), status=refused.status)
    notes.success(request, "Kept: you looked at it.")
    return redirect("chart-openings")
