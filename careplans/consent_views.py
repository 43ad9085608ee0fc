"""Signing on the screen, and what was signed: to read, to print, as a PDF, and to take back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careplans import agreement_page, planning, versions
from careplans.models import CarePlan
from clinic import pdf
from clinic.errors import RuleBroken
from clinic.policy import requires
from patients import chart_opening, consenting, sight
from patients.signing_forms import ConsentPart, SignatureForm, show


def _find(request, pk, action="careplan.read"):
    return sight.find(CarePlan.objects.with_names(), request.user, action, pk)


@require_http_methods(["GET", "POST"])
@requires("careplan.write")
def sign(request, pk):
    """What is open to sign, for the patient to read and sign here; it is the clinician's session."""
    plan = _find(request, pk, "careplan.write")
    open_ = agreement_page.to_sign(plan)
    data = request.POST or None
    signature = SignatureForm(data, is_minor=open_.is_minor)
    consent = open_.form and ConsentPart(data, form=open_.form, patient=plan.patient)
    status = 200
    if request.method == "POST":
        status = 400
        if all(form.is_valid() for form in filter(None, (signature, consent))):
            shown = {name: request.POST.get(f"{name}_digest", "") for name in ("consent", "plan")}
            try:
                planning.sign_consent(
                    plan, by=request.user, signature=signature.signature(), said=consent and consent.said(), shown=shown
                )
            except RuleBroken as broken:
                show(broken, *filter(None, (signature, consent)))
                status, open_ = broken.status, agreement_page.to_sign(plan)
            else:
                messages.success(request, "Signed. Thank you.")
                return redirect("plan", pk)
    context = {"plan": plan, "open": open_, "signature": signature, "consent": consent}
    return render(request, "careplans/sign.html", context, status=status)


@require_POST
@requires("careplan.write")
def withdraw(request, pk):
    plan = _find(request, pk, "careplan.write")
    try:
        consenting.take_back(plan.patient, by=request.user, reason=request.POST.get("reason", ""))
    except RuleBroken as broken:
        messages.error(request, broken.message)
    else:
        messages.success(
            request, "The consent is taken back: nothing more is done or placed until a new one is signed."
        )
    return redirect("plan", pk)


@require_GET
@requires("careplan.read")
def agreement(request, pk):
    plan = _find(request, pk)
    chart_opening.record_read("care_plan.printed", plan, by=request.user)
    return _agreement_page(request, plan)


def _agreement_page(request, plan):
    context = agreement_page.read(plan) | {"no_pdf": pdf.problem(), "opened_until": plan.opened_until}
    return render(request, "careplans/agreement.html", context)


@require_GET
@requires("careplan.read")
def agreement_pdf(request, pk):
    """The same page as a file; where none can be made, the page says so and is printed instead."""
    plan = _find(request, pk)
    chart_opening.record_read("care_plan.pdf_made", plan, by=request.user)
    html = render_to_string("careplans/agreement.html", agreement_page.read(plan) | {"is_pdf": True})
    try:
        content = pdf.render(html)
    except pdf.Unavailable:
        return _agreement_page(request, plan)
    headers = {"Content-Disposition": f'inline; filename="care-plan-{pk}.pdf"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@require_GET
@requires("careplan.read")
def version(request, pk, number):
    """A version as it was written, with who agreed to it."""
    plan = _find(request, pk)
    chart_opening.record_read("care_plan.read", plan, by=request.user)
    found = get_object_or_404(plan.versions.select_related("written_by"), number=number)
    earlier = versions.before(found)
    context = {
        "plan": plan,
        "version": found,
        "signed": agreement_page.signature_of(found),
        "changes": versions.changes(earlier.document, found.document) if earlier else [],
    }
    return render(request, "careplans/version.html", context)
