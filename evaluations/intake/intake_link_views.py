"""The pages on which a patient answers the intake on the phone. GET changes nothing; every part is saved by its button.

The link alone shows nothing: the birth date is asked first, and this browser remembers for a while that it was right.
"""

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from clinic import times
from clinic.errors import RuleBroken
from evaluations.intake import self_intake
from evaluations.intake.intake_part_form import PartForm
from evaluations.intake.intake_questions import PARTS
from patients import intake
from patients.link_pages import BirthDateForm, behind_link, gone

COOKIE, REMEMBERED = "intake", 4 * 3600  # seconds


@behind_link(self_intake.find)
def start(request, token, link, visit):
    if request.method == "POST":
        return _prove(request, token, link, visit)
    if not _is_proven(request, link):
        return _ask_birth_date(request, BirthDateForm())
    return _overview(request, token, visit)


@behind_link(self_intake.find)
def part(request, token, link, visit, code):
    if code not in PARTS:
        raise Http404
    if not _is_proven(request, link):
        return HttpResponseRedirect(reverse("intake-link", args=[token]))
    return _save(request, token, visit, code) if request.method == "POST" else _show(request, token, visit, code)


def _is_proven(request, link) -> bool:
    return request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=REMEMBERED) == str(link.pk)


def _prove(request, token, link, visit):
    born = BirthDateForm(request.POST)
    if not born.is_valid():
        return _ask_birth_date(request, born, status=400)
    try:
        self_intake.prove(link, visit, born_on=born.cleaned_data["born_on"])
    except RuleBroken as refused:
        if "born_on" not in refused.fields:
            return gone(request)
        born.add_error("born_on", refused.message)
        return _ask_birth_date(request, born, status=400)
    here = reverse("intake-link", args=[token])
    answer = HttpResponseRedirect(here)
    answer.set_signed_cookie(
        COOKIE, str(link.pk), salt=COOKIE, max_age=REMEMBERED, path=here, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return answer


def _ask_birth_date(request, born, status=200):
    return render(request, "evaluations/links/birth_date.html", {"form": born}, status=status)


def _overview(request, token, visit):
    done = self_intake.kept(visit).parts
    parts = [{"part": one, "is_done": one.code in done} for one in PARTS.values()]
    context = _context(token, visit) | {
        "parts": parts,
        "next": next((one["part"] for one in parts if not one["is_done"]), None),
        "is_begun": bool(done),
    }
    return render(request, "evaluations/links/overview.html", context)


def _context(token, visit):
    when = times.spoken(visit.starts_at, visit.location.time_zone)
    return {"token": token, "visit": visit, "when": when, "alarm": self_intake.standing_alarms(visit)}


def _show(request, token, visit, code, form=None, status=200):
    answers, kept = intake.answers_of(visit.patient), self_intake.kept(visit)
    form = form or PartForm(part=PARTS[code], answers=answers, flags=kept.red_flags)
    codes = [*PARTS]
    context = _context(token, visit) | {
        "part": PARTS[code],
        "form": form,
        "number": codes.index(code) + 1,
        "of": len(codes),
        "before": codes[codes.index(code) - 1] if codes.index(code) else "",
    }
    return render(request, "evaluations/links/part.html", context, status=status)


def _save(request, token, visit, code):
    answers, kept = intake.answers_of(visit.patient), self_intake.kept(visit)
    form = PartForm(request.POST, part=PARTS[code], answers=answers, flags=kept.red_flags)
    if not form.is_valid():
        return _show(request, token, visit, code, form, status=400)
    try:
        self_intake.keep_part(visit, code, answers=form.changes(), flags=form.flags())
    except RuleBroken as refused:
        form.place(refused.fields)
        return _show(request, token, visit, code, form, status=refused.status)
    if "yes" in form.flags().values():
        return render(request, "evaluations/links/alarm.html", _context(token, visit) | {"next": _after(code)})
    following = _after(code)
    if following is None or "stop" in request.POST:
        return HttpResponseRedirect(reverse("intake-link", args=[token]))
    return HttpResponseRedirect(reverse("intake-link-part", args=[token, following]))


def _after(code) -> str | None:
    codes = [*PARTS]
    return next(iter(codes[codes.index(code) + 1 :]), None)
