"""The report of findings as a page and as a PDF, and the comparison in the patient's words."""

from contextlib import nullcontext

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET

from clinic import pdf
from clinic.policy import requires
from evaluations import report_page
from evaluations.intake.intake_views import find
from patients import chart_opening, languages

FORMS = {"clinician": report_page.for_clinician, "patient": report_page.for_patient}


@require_GET
@requires("evaluation.read")
def printed(request, pk):
    return _page(request, pk, "clinician")


@require_GET
@requires("evaluation.read")
def for_patient(request, pk):
    return _page(request, pk, "patient")


def _page(request, pk, form):
    found = find(request, pk)
    chart_opening.record_read("evaluation.printed", found, by=request.user)
    with _language(found, form):
        context = _context(found, form)
        context |= {"no_pdf": pdf.problem(), "pdf_url": reverse("evaluation-pdf", args=[pk, form])}
        return render(request, f"evaluations/report_{form}.html", context)


@require_GET
@requires("evaluation.read")
def as_pdf(request, pk, form):
    """The same page as a file; where none can be made, the page says so and is printed instead."""
    if form not in FORMS:
        raise Http404
    found = find(request, pk)
    with _language(found, form):
        html = render_to_string(f"evaluations/report_{form}.html", _context(found, form) | {"is_pdf": True})
    try:
        content = pdf.render(html)
    except pdf.Unavailable:
        return _page(request, pk, form)
    chart_opening.record_read("evaluation.pdf_made", found, by=request.user)
    name = f"report-of-findings-{found.pk}-{form}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def _language(found, form):
    """A clinician reads English, whoever the patient is."""
    return languages.speaking(found.patient) if form == "patient" else nullcontext()


def _context(found, form):
    return FORMS[form](found) | {"form": form, "opened_until": getattr(found, "opened_until", None)}


@require_GET
@requires("evaluation.read")
def compare_for_patient(request, pk):
    found = find(request, pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    with languages.speaking(found.patient):
        return render(request, "evaluations/compare_patient.html", report_page.for_patient(found))
