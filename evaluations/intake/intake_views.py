"""The pages before the examination: the intake gone through with the patient, and the red flags in three tiers."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from clinic import times
from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import number_or_text
from evaluations import catalogue, recording
from evaluations.entry import entry_page, saved_meanwhile
from evaluations.intake import history_taking, intake_page, self_intake
from evaluations.intake.intake_form import IntakeForm
from evaluations.models import Evaluation, RedFlagAnswer
from evaluations.safety import red_flags
from patients import chart_opening, sight

AUTOSAVE = "autosave"


def find(request, pk, action="evaluation.read"):
    rows = Evaluation.objects.select_related("patient", "location", "signed_by", "started_by", "appointment")
    return sight.find(rows, request.user, action, pk)


@require_http_methods(["GET", "POST"])
@requires("evaluation.read", POST="evaluation.write")
def intake(request, pk):
    """What the patient tells; each save confirms it for this evaluation. Saved by itself where scripts run."""
    found = find(request, pk, "evaluation.write" if request.method == "POST" else "evaluation.read")
    answers, version = history_taking.answers_for(found)
    form = IntakeForm(request.POST or None, answers=answers)
    if request.method == "POST":
        return _save(request, found, form)
    chart_opening.record_read("intake.viewed", found, by=request.user)
    return _intake(request, found, form, version)


def _save(request, found, form):
    broken = None
    version = number_or_text(request.POST.get("version", ""))
    try:
        if not form.is_valid():
            raise RuleBroken("Look at the marked answers.", code="invalid", status=400)
        opened = history_taking.confirm(
            found, form.changes(), version=version, by=request.user, seconds=_seconds(request.POST.get("seconds", ""))
        )
    except RuleBroken as refused:
        broken = refused
        left = form.place(refused.fields)
        if refused.code == "invalid" and left:
            broken.message = " ".join(left)
    _, version = history_taking.answers_for(found)
    if AUTOSAVE in request.headers.get("X-Save", ""):
        return _saved_by_itself(request, found, form, version, broken)
    if broken:
        return _intake(request, found, form, version, broken=broken)
    messages.success(request, f"Saved {times.local(times.now(), found.location.time_zone):%H:%M}.")
    if opened:
        messages.warning(request, "A red flag was raised by what was told.")
    return redirect("evaluation-screening" if "next" in request.POST else "evaluation-intake", pk=found.pk)


def _seconds(text):
    """What the page counted; without script nothing is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _context(found, answers, version, form, broken):
    return {
        "evaluation": found,
        "form": form,
        "version": version,
        "broken": broken,
        "both_versions": saved_meanwhile.of(broken, found),
        "faults": [(form[name].label, form.errors[name][0]) for name in form.errors if name in form.fields],
        "by_phone": self_intake.of_visit_ahead(found),
        "open_events": red_flags.open_events(found.patient),
        "is_open": not found.is_signed and not getattr(found, "opened_until", None),
        "clock": entry_page.history_clock(found),
        "pace": entry_page.pace(found),
        **intake_page.follows(answers, age=found.age),
    }


def _intake(request, found, form, version, *, broken=None):
    answers = history_taking.answers_for(found)[0]
    context = _context(found, answers, version, form, broken)
    context |= {"told": intake_page.told(answers), "sections": list(form.sections())}
    return render(request, "evaluations/intake.html", context, status=broken.status if broken else 200)


def _saved_by_itself(request, found, form, version, broken):
    """The state and what follows; a stale page keeps its version, so that nothing is overwritten unseen."""
    answers = history_taking.answers_for(found)[0]
    context = _context(found, answers, version, form, broken) | {"by_itself": True}
    context["saved_at"] = times.local(times.now(), found.location.time_zone)
    return render(request, "evaluations/_intake_saved.html", context)


@require_http_methods(["GET", "POST"])
@requires("evaluation.read", POST="evaluation.write")
def screening(request, pk):
    """Every red-flag question, most urgent first; a new emergency leads to the page that says what to do."""
    found = find(request, pk, "evaluation.write" if request.method == "POST" else "evaluation.read")
    answers, broken = red_flags.answers_of(found), None
    if request.method == "POST":
        typed = {code: request.POST[code] for code in catalogue.RED_FLAGS if request.POST.get(code)}
        known = set(red_flags.emergencies_of(red_flags.open_events(found.patient)))
        try:
            saved = recording.save(
                found,
                findings=[],
                answers={code: said for code, said in typed.items() if answers.get(code) != said} or None,
                version=number_or_text(request.POST.get("version", "")),
                by=request.user,
            )
        except RuleBroken as refused:
            broken, answers = refused, answers | typed
        else:
            if set(saved["emergencies"]) - known:
                return redirect("evaluation-emergency", pk=pk)
            messages.success(request, f"Saved {times.local(times.now(), found.location.time_zone):%H:%M}.")
            return redirect("evaluation" if "next" in request.POST else "evaluation-screening", pk=pk)
    else:
        chart_opening.record_read("red_flags.viewed", found, by=request.user)
    told = self_intake.latest(found.patient)
    context = {
        "evaluation": found,
        "tiers": intake_page.tiers(found, answers, told.red_flags if told else {}),
        "choices": RedFlagAnswer.Answer.choices,
        "unanswered": len(catalogue.RED_FLAGS) - len(answers),
        "open_events": red_flags.open_events(found.patient),
        "is_open": not found.is_signed and not found.opened_until,
        "broken": broken,
        "both_versions": saved_meanwhile.of(broken, found),
    }
    context["has_emergency"] = any(event.tier == "emergency" for event in context["open_events"])
    return render(request, "evaluations/screening.html", context, status=broken.status if broken else 200)


@require_GET
@requires("evaluation.read")
def emergency(request, pk):
    """What to do now, and nothing else on the page."""
    found = find(request, pk)
    events = [event for event in red_flags.open_events(found.patient) if event.tier == "emergency"]
    if not events:
        return redirect("evaluation-screening", pk=pk)
    chart_opening.record_read("red_flags.viewed", found, by=request.user)
    part = request.GET.get("back", "")
    context = {
        "evaluation": found,
        "events": events,
        "may_stop": found.status == Evaluation.Status.IN_PROGRESS,
        "back": part if part in catalogue.PART_BY_CODE else "",
    }
    return render(request, "evaluations/emergency.html", context)
