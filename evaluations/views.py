from django import forms
from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations import catalogue, compare_page, form_rows, measures, next_steps, recording, red_flags, signing, summary
from evaluations.api import begin
from evaluations.models import Evaluation, RedFlagAnswer, RedFlagEvent
from patients import chart_opening, sight


class StartForm(forms.Form):
    patient = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    appointment = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


def _find(request, pk, action="evaluation.read"):
    rows = Evaluation.objects.select_related("patient", "location", "signed_by", "started_by")
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
    part = catalogue.PART_BY_CODE.get(request.GET.get("part", ""), catalogue.PARTS[0])
    sections = form_rows.sections_of(part, found.findings.all() if part.sections else [])
    if request.method == "POST":
        return _save(request, found, part, sections)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    return _form(request, found, part, sections)


def _form(request, found, part, sections, *, broken=None, outcomes=None, conclusion=None, answers=None):
    answers = red_flags.answers_of(found) if answers is None else answers
    if part.code == "summary":
        prefetch_related_objects([found], "findings")  # read by the lines and by what is missing
    context = {
        "evaluation": found,
        "part": part,
        "parts": [_tab(found, p, part) for p in catalogue.PARTS],
        "sections": sections,
        "broken": broken,
        "budget": catalogue.BUDGET_MINUTES,
        "spent_minutes": sum(found.section_seconds.values()) // 60,
        "open_events": red_flags.open_events(found.patient),
        "questions": [(flag, answers.get(flag.code, "")) for flag in red_flags.questions()],
        "answer_choices": RedFlagAnswer.Answer.choices,
        "unanswered": len(catalogue.RED_FLAGS) - len(answers),
        "outcomes": _outcome_rows(found.measures if outcomes is None else outcomes),
        "conclusion": found.conclusion if conclusion is None else conclusion,
        "notable": _notable(found) if part.code == "summary" else [],
        "missing": signing.missing(found) if part.code == "summary" else [],
    }
    following = catalogue.PARTS.index(part) + 1
    context["next_part"] = catalogue.PARTS[following] if following < len(catalogue.PARTS) else None
    context["has_emergency"] = any(event.tier == "emergency" for event in context["open_events"])
    return render(request, "evaluations/evaluation.html", context, status=broken.status if broken else 200)


def _notable(found):
    sections = summary.lines(list(found.findings.all()), summary.who(found))
    return [line for _, lines in sections for line in lines if line.stands_out]


def _tab(found, part, current):
    seconds = found.section_seconds.get(part.code, 0)
    return {
        "part": part,
        "url": f"{reverse('evaluation', args=[found.pk])}?part={part.code}",
        "is_current": part == current,
        "clock": f"{seconds // 60}:{seconds % 60:02}",
        "seconds": seconds,
        "is_over": seconds > part.minutes * 60,
    }


def _outcome_rows(values):
    return [(measure, values.get(measure.code)) for measure in measures.MEASURES.values()]


def _save(request, found, part, sections):
    post = request.POST
    cells, findings = form_rows.read(sections, post)
    answers = outcomes = conclusion = None
    if part.code == "red_flags":
        answers = _typed_answers(post)
        if "rest" in post:
            answers = {**dict.fromkeys(catalogue.RED_FLAGS, "no"), **red_flags.answers_of(found), **answers}
    if part.code == "outcomes":
        outcomes = {m: _whole(post[m]) for m in measures.MEASURES if m in post}
    if part.code == "summary":
        conclusion = post.get("conclusion", "").replace("\r\n", "\n")
    try:
        version = _whole(post.get("version", ""))
        recording.save(
            found, findings=findings, version=version, by=request.user, answers=answers, outcomes=outcomes,
            conclusion=conclusion,
        )  # fmt: skip
    except RuleBroken as broken:
        form_rows.place_faults(cells, broken.fields)
        if broken.code != "stale":
            for cell in cells:
                cell.saved_meanwhile = ""
        else:
            found.refresh_from_db(fields=["version"])  # both values are on the page: saving again is a decision
        return _form(
            request, found, part, sections, broken=broken, answers=answers, outcomes=outcomes, conclusion=conclusion
        )
    messages.success(request, f"Saved {times.local(times.now(), found.location.time_zone):%H:%M}.")
    following = post.get("next", "")
    if following in catalogue.PART_BY_CODE:
        part = catalogue.PART_BY_CODE[following]
    return redirect(f"{reverse('evaluation', args=[found.pk])}?part={part.code}")


def _typed_answers(post):
    return {code: post[code] for code in catalogue.RED_FLAGS if post.get(code)}


def _whole(text):
    """A number if it is one; the rule names anything else."""
    text = text.strip()
    if not text:
        return None
    return int(text) if len(text) < 10 and text.isascii() and text.lstrip("-").isdigit() else text


def _signed(request, found, *, broken=None):
    if request.method == "POST" and broken is None:
        messages.error(request, "The evaluation is signed; write an addendum.")
        return redirect("evaluation", pk=found.pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    context = {**_record(found), "broken": broken, "typed": request.POST}
    context["next_steps"] = next_steps.of(found, request.user) if not found.opened_until else []
    return render(request, "evaluations/signed.html", context, status=broken.status if broken else 200)


def _record(found):
    answers = red_flags.answers_of(found)
    return {
        "evaluation": found,
        "lines": [
            (catalogue.SECTIONS[code], lines)
            for code, lines in summary.lines(list(found.findings.all()), summary.who(found))
        ],
        "answers": [(flag, answers.get(flag.code, "not asked")) for flag in red_flags.questions()],
        "outcomes": [row for row in _outcome_rows(found.measures) if row[1] is not None],
        "addenda": found.addenda.select_related("by"),
        "is_intact": signing.is_intact(found),
    }


@require_GET
@requires("evaluation.read")
def printed(request, pk):
    found = _find(request, pk)
    chart_opening.record_read("evaluation.printed", found, by=request.user)
    return render(request, "evaluations/print.html", _record(found))


@require_GET
@requires("evaluation.read")
def compare(request, pk):
    found = _find(request, pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    return render(request, "evaluations/compare.html", {"evaluation": found, **compare_page.context(found)})


@require_http_methods(["GET", "POST"])
@requires("evaluation.write", POST="evaluation.sign")
def sign(request, pk):
    found = _find(request, pk, "evaluation.write")
    broken = None
    if request.method == "POST":
        try:
            signing.sign(found, by=request.user)
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
        "resolutions": [(code, summary.spoken(code)) for code in allowed if code != "answered_later"],
        "details": [(name, summary.spoken(name), request.POST.get(f"detail.{name}", "")) for name in details],
        "restrictions": [(code, summary.spoken(code)) for code in red_flags.RESTRICTIONS],
        "broken": broken,
        "typed": request.POST,
        "chosen": request.POST.getlist("restrictions"),
    }
    return render(request, "evaluations/resolve.html", context, status=broken.status if broken else 200)
