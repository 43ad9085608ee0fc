"""The pages of a visit note: written, signed, read, added to, printed."""

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.models import Appointment
from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import number_or_text
from evaluations.entry.checking import Wrong
from evaluations.models import VisitNote
from evaluations.notes import note_fields, note_page, note_signing, note_texts, visit_notes
from patients import chart_opening, sight


class StartForm(forms.Form):
    appointment = forms.IntegerField(min_value=1, max_value=2**63 - 1)


def rows():
    return VisitNote.objects.select_related(
        "patient__home_location", "location", "started_by", "signed_by", "appointment__practitioner__user",
        "appointment__type",
    )  # fmt: skip


def _find(request, pk, action="evaluation.read"):
    return sight.find(rows(), request.user, action, pk)


@require_POST
@requires("evaluation.write")
def start(request):
    asked = StartForm(request.POST)
    if not asked.is_valid():
        messages.error(request, "Say of which visit.")
        return redirect("patients")
    try:
        note = begin(request.user, asked.cleaned_data["appointment"])
    except RuleBroken as broken:
        messages.error(request, broken.message)
        return redirect("appointment", pk=asked.cleaned_data["appointment"])
    return redirect("visit-note", pk=note.pk)


def begin(user, appointment):
    visits = Appointment.objects.visible_to(user).select_related("location", "patient")
    return visit_notes.start(get_object_or_404(visits, pk=appointment), by=user)


@require_http_methods(["GET", "POST"])
@requires("evaluation.read", POST="evaluation.write")
def note(request, pk):
    found = _find(request, pk, "evaluation.write" if request.method == "POST" else "evaluation.read")
    if found.is_signed:
        return _signed(request, found)
    if found.opened_until:
        return redirect("visit-note-print", pk=pk)  # to be read, not to be filled in
    if request.method == "POST":
        return _save(request, found)
    chart_opening.record_read("visit_note.viewed", found, by=request.user)
    return render(request, "evaluations/note.html", note_page.form(found))


def _save(request, found):
    """The Save button of a page whose scripts did not run, and its buttons that take over grey values."""
    content, typed, faults = read(request.POST)
    suggested = note_page.suggestions(found, visit_notes.last_signed(found)) if "same" in request.POST else {}
    for code in _taken_over(request.POST, suggested):
        if content.get(code) is None and code not in faults:
            content[code] = suggested[code].value
    if "all_no" in request.POST:
        content["safety"] = {**dict.fromkeys(note_fields.SAFETY, "no"), **(content.get("safety") or {})}
    content = {code: value for code, value in content.items() if value != found.content.get(code)}
    broken = None
    try:
        if faults:
            raise RuleBroken("Some fields are not understood.", code="invalid_note", fields=faults, status=400)
        visit_notes.save(
            found, content=content, version=number_or_text(request.POST.get("version", "")), by=request.user
        )
    except RuleBroken as refused:
        broken = refused
    if broken is None:
        messages.success(request, f"Saved {times.local(times.now(), found.location.time_zone):%H:%M}.")
        return redirect("visit-note", pk=found.pk)
    if broken.code == "stale":
        found.refresh_from_db(fields=["version", "content"])
    said = {**found.content.get("safety", {}), **(content.get("safety") or {})}
    context = note_page.form(found, typed=typed, faults=broken.fields) | {"broken": broken}
    for row in context["parts"][0].rows:
        if row.field.kind == "answers":
            row.value = said
    return render(request, "evaluations/note.html", context, status=broken.status)


def read(post) -> tuple[dict, dict[str, str], dict[str, str]]:
    """(values by field, what was typed, faults by `content.field`) of a whole form."""
    content, typed, faults = {}, {}, {}
    for code, field in note_fields.FIELDS.items():
        if field.kind == "answers":
            given = {flag: post[f"safety.{flag}"] for flag in note_fields.SAFETY if post.get(f"safety.{flag}")}
            content[code] = given or None
        elif field.kind == "codes":
            content[code] = [one for one in post.getlist(f"content.{code}") if one] or None
            typed[code] = ",".join(content[code] or [])
        elif f"content.{code}" in post:
            typed[code] = post[f"content.{code}"]
            try:
                content[code] = note_texts.read(field, typed[code])
            except Wrong as wrong:
                faults[f"content.{code}"] = wrong.message
    return content, typed, faults


def _taken_over(post, suggested):
    """The fields of the button: one by itself, or those of a part."""
    wanted = post.get("same", "")
    if wanted in note_fields.PARTS:
        return [one.code for one in note_fields.of_part(wanted) if one.code in suggested]
    return [wanted] if wanted in suggested else []


def _signed(request, found, *, broken=None):
    if request.method == "POST" and broken is None:
        messages.error(request, "The note is signed; write an addendum.")
        return redirect("visit-note", pk=found.pk)
    chart_opening.record_read("visit_note.viewed", found, by=request.user)
    context = {**note_page.record(found), "broken": broken, "typed": request.POST}
    return render(request, "evaluations/note_signed.html", context, status=broken.status if broken else 200)


@require_http_methods(["GET", "POST"])
@requires("evaluation.write", POST="evaluation.sign")
@reauthentication_required(allow_get=True)
def sign(request, pk):
    """What is missing and the note to be read, then the signature; the password is asked again."""
    found = _find(request, pk, "evaluation.write")
    broken = None
    if request.method == "POST":
        try:
            note_signing.sign(found, by=request.user, version=number_or_text(request.POST.get("version", "")))
        except RuleBroken as refused:
            broken = refused
        else:
            messages.success(request, "Signed.")
            return redirect("visit-note", pk=found.pk)
    missing = note_signing.missing(found)
    if broken is None:
        chart_opening.record_read("visit_note.viewed", found, by=request.user)
    context = {
        **note_page.record(found), "missing": missing, "is_blocked": any(m.blocks for m in missing), "broken": broken,
    }  # fmt: skip
    return render(request, "evaluations/note_sign.html", context, status=broken.status if broken else 200)


@require_POST
@requires("evaluation.amend")
def addendum(request, pk):
    found = _find(request, pk, "evaluation.amend")
    text, reason = request.POST.get("text", ""), request.POST.get("reason", "")
    try:
        note_signing.add(
            found, text=text.replace("\r\n", "\n"), reason=reason, by=request.user,
            serious_reaction="serious_reaction" in request.POST,
        )  # fmt: skip
    except RuleBroken as broken:
        return _signed(request, found, broken=broken) if found.is_signed else redirect("visit-note", pk=pk)
    messages.success(request, "Added.")
    return redirect("visit-note", pk=pk)


@require_GET
@requires("evaluation.read")
def printed(request, pk):
    found = _find(request, pk)
    chart_opening.record_read("visit_note.printed", found, by=request.user)
    return render(request, "evaluations/note_print.html", note_page.record(found))
