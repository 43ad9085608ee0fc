from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import number_or_text
from evaluations import (
    catalogue,
    compare_page,
    field_words,
    interventions,
    measures,
    next_steps,
    recording,
    report_page,
    signing,
    summary,
)
from evaluations.api import begin
from evaluations.entry import entry_page, form_rows, saved_meanwhile
from evaluations.models import Evaluation, RedFlagEvent
from evaluations.safety import deferring, red_flags
from patients import chart_opening, sight


class StartForm(forms.Form):
    patient = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    appointment = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


def _find(request, pk, action="evaluation.read"):
    rows = Evaluation.objects.select_related(
        "patient", "location", "signed_by", "started_by", "appointment", "withdrawal__by"
    )
    return sight.find(rows, request.user, action, pk)


@require_POST
@requires("evaluation.write")
def start(request):
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say which patient is examined.")
        return redirect("patients")
    try:
        evaluation = begin(request.user, **form.cleaned_data)
    except RuleBroken as broken:
        messages.error(request, broken.message)
        return redirect("patient", pk=form.cleaned_data["patient"])
    return redirect("evaluation", pk=evaluation.pk)


@require_http_methods(["GET", "POST"])
@requires("evaluation.read", POST="evaluation.write")
def evaluation(request, pk):
    found = _find(request, pk, "evaluation.write" if request.method == "POST" else "evaluation.read")
    if found.is_signed:
        return _signed(request, found)
    if found.opened_until:
        return redirect("evaluation-print", pk=pk)  # to be read, not to be filled in
    last = entry_page.last_signed(found)
    findings, before = entry_page.findings_of(found, last)
    parts = entry_page.parts_of(found, findings, before)
    if request.method == "POST":
        return _save(request, found, parts, findings, last)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    return _form(request, found, parts, findings, last)


def _form(request, found, parts, findings, last, *, broken=None, conclusion=None, **typed):
    context = {
        **entry_page.context(found, parts, findings, last=last, conclusion=conclusion, **typed),
        "broken": broken,
        "both_versions": saved_meanwhile.of(broken, found),
        "conclusion": found.conclusion if conclusion is None else conclusion,
    }
    return render(request, "evaluations/evaluation.html", context, status=broken.status if broken else 200)


def _is_stale(broken):
    return broken is not None and broken.code == "stale"


def _save(request, found, parts, findings, last):
    """The Save button of a page whose scripts did not run: everything that differs from what is stored."""
    post = request.POST
    cells, changed = form_rows.read([section for one in parts for section in one.sections], post)
    given = red_flags.answers_of(found)
    answers, outcomes = {**given, **_typed_answers(post)}, _typed_outcomes(post)
    if "rest" in post:
        answers = {**dict.fromkeys(catalogue.RED_FLAGS, "no"), **answers}
    conclusion = post.get("conclusion", found.conclusion).replace("\r\n", "\n")
    known = set(red_flags.emergencies_of(red_flags.open_events(found.patient)))
    try:
        saved = recording.save(
            found, findings=changed, version=number_or_text(post.get("version", "")), by=request.user,
            answers={code: said for code, said in answers.items() if given.get(code) != said} or None,
            outcomes={code: value for code, value in outcomes.items() if found.measures.get(code) != value},
            conclusion=conclusion if conclusion != found.conclusion else None,
        )  # fmt: skip
    except RuleBroken as broken:
        form_rows.place_faults(cells, broken.fields)
        if not _is_stale(broken):
            for cell in cells:
                cell.saved_meanwhile = ""
        else:
            found.refresh_from_db(fields=["version"])  # both values are on the page: saving again is a decision
        kept = {code: value for code, value in found.measures.items() if code not in outcomes or value is None}
        scores = kept | {code: value for code, value in outcomes.items() if value is not None}
        typed = {"answers": answers, "outcomes": scores, "conclusion": conclusion}
        return _form(request, found, parts, findings, last, broken=broken, **typed)
    if set(saved["emergencies"]) - known:
        return redirect(f"{reverse('evaluation-emergency', args=[found.pk])}?back={post.get('part', 'red_flags')}")
    messages.success(request, f"Saved {times.local(times.now(), found.location.time_zone):%H:%M}.")
    part = post.get("part", "")
    at = f"#part-{part}" if part in catalogue.PART_BY_CODE else ""
    return redirect(f"{reverse('evaluation', args=[found.pk])}{at}")


def _typed_outcomes(post):
    """What was typed as scores; a list of items where one of its boxes holds something."""
    typed = {code: _score(post[code]) for code in measures.MEASURES if code in post}
    if measures.ORIGIN in post:
        typed[measures.ORIGIN] = post[measures.ORIGIN] or None
    if measures.EQ_STATE in post:
        typed[measures.EQ_STATE] = post[measures.EQ_STATE].strip() or None
    for code, (many, _, _) in measures.LISTS.items():
        if f"{code}1" in post:
            items = [_score(post.get(f"{code}{n + 1}", "")) for n in range(many)]
            typed[code] = items if any(item is not None for item in items) else None
    return typed


def _typed_answers(post):
    return {code: post[code] for code in catalogue.RED_FLAGS if post.get(code)}


def _score(text):
    return number_or_text(text) if text.strip() else None


def _signed(request, found, *, broken=None):
    if request.method == "POST" and broken is None:
        messages.error(request, "The evaluation is signed; write an addendum.")
        return redirect("evaluation", pk=found.pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    context = {**_record(found), "broken": broken, "typed": request.POST}
    context["next_steps"] = next_steps.of(found, request.user) if not found.opened_until else []
    return render(request, "evaluations/signed.html", context, status=broken.status if broken else 200)


def _record(found):
    answers, findings = red_flags.answers_of(found), list(found.findings.all())
    lines, blank = dict(summary.lines(findings, summary.who(found))), summary.blank(findings)
    return {
        "evaluation": found,
        "lines": [(label, lines.get(code, ()), blank[code]) for code, label in catalogue.SECTIONS.items()],
        "answers": [(flag, answers.get(flag.code, "not asked")) for flag in red_flags.questions()],
        "outcomes": report_page.outcomes(found.measures),
        "unscored": report_page.unscored(found.measures),
        "addenda": found.addenda.select_related("by"),
        "is_intact": signing.is_intact(found),
    }


@require_GET
@requires("evaluation.read")
def compare(request, pk):
    found = _find(request, pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    return render(request, "evaluations/compare.html", {"evaluation": found, **compare_page.context(found)})


@require_http_methods(["GET", "POST"])
@requires("evaluation.write", POST="evaluation.sign")
@reauthentication_required(allow_get=True)
def sign(request, pk):
    """What is missing, then the signature; the password is asked again, since an unlocked screen must not sign."""
    found = _find(request, pk, "evaluation.write")
    broken = None
    if request.method == "POST":
        try:
            signing.sign(found, by=request.user, version=number_or_text(request.POST.get("version", "")))
        except RuleBroken as refused:
            broken = refused
        else:
            messages.success(request, "Signed.")
            return redirect("evaluation", pk=found.pk)
    missing = signing.missing(found)
    if broken is None:
        chart_opening.record_read("evaluation.viewed", found, by=request.user)
    context = {
        "evaluation": found,
        "missing": missing,
        "is_blocked": any(m.blocks for m in missing),
        "open_events": red_flags.open_events(found.patient),
        "broken": broken,
    }
    return render(request, "evaluations/sign.html", context, status=broken.status if broken else 200)


@require_POST
@requires("evaluation.write")
def stop(request, pk):
    found = _find(request, pk, "evaluation.write")
    try:
        red_flags.stop(found, by=request.user)
        messages.warning(request, "Stopped for safety. What was not recorded is deferred.")
    except RuleBroken as broken:
        messages.error(request, broken.message)
    return redirect("evaluation", pk=pk)


@require_POST
@requires("evaluation.write")
def defer(request, pk):
    found = _find(request, pk, "evaluation.write")
    try:
        number = deferring.defer(found, by=request.user)
        messages.warning(
            request, f"{number} tests are deferred for safety." if number else "All have a status already."
        )
    except RuleBroken as broken:
        messages.error(request, broken.message)
    return redirect("evaluation", pk=pk)


@require_POST
@requires("evaluation.amend")
def addendum(request, pk):
    found = _find(request, pk, "evaluation.amend")
    text, reason = request.POST.get("text", ""), request.POST.get("reason", "")
    try:
        signing.add(found, text=text.replace("\r\n", "\n"), reason=reason, by=request.user)
    except RuleBroken as broken:
        return _signed(request, found, broken=broken) if found.is_signed else redirect("evaluation", pk=pk)
    messages.success(request, "Added.")
    return redirect("evaluation", pk=pk)


@require_http_methods(["GET", "POST"])
@requires("red_flag.resolve")
def resolve(request, pk):
    rows = RedFlagEvent.objects.select_related("patient", "proposed_by")
    event = sight.find(rows, request.user, "red_flag.resolve", pk)
    allowed = red_flags.resolutions_for(event)
    details = dict.fromkeys(name for names in allowed.values() for name in names)
    broken = None
    if request.method == "POST":
        typed = request.POST
        try:
            red_flags.resolve(
                event,
                resolution=typed.get("resolution", ""),
                by=request.user,
                rationale=typed.get("rationale", "").replace("\r\n", "\n"),
                detail={name: typed[f"detail.{name}"] for name in details if typed.get(f"detail.{name}")},
                restrictions=typed.getlist("restrictions"),
            )
        except RuleBroken as refused:
            broken = refused
        else:
            messages.success(request, "Recorded.")
            following = request.GET.get("next", "")
            safe = url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()})
            return redirect(following if safe else reverse("patient", args=[event.patient_id]))
    chart_opening.record_read("red_flag.viewed", event, by=request.user)
    context = {
        "event": event,
        "resolutions": [(code, field_words.spoken(code)) for code in allowed],
        "details": [(name, field_words.spoken(name), request.POST.get(f"detail.{name}", "")) for name in details],
        "restrictions": [(code, interventions.restriction_label(code)) for code in red_flags.RESTRICTIONS],
        "broken": broken,
        "typed": request.POST,
        "chosen": request.POST.getlist("restrictions"),
    }
    return render(request, "evaluations/resolve.html", context, status=broken.status if broken else 200)
