"""The patient's own page of a plan, behind a link in a mail, and sending it. GET changes nothing but the audit."""

from datetime import date

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from careplans import asking_to_book, home_programme, plan_links, portal_page
from careplans.models import CarePlan
from clinic import audit
from clinic.errors import RuleBroken
from clinic.policy import requires
from patients import sight
from patients.link_pages import BirthDateForm, behind_link, gone
from patients.signing_forms import SignatureForm, show

ANSWERS = {"yes": True, "no": False}


class DayForm(forms.Form):
    day = forms.DateField()


@behind_link(plan_links.find)
def plan(request, token, link, plan):
    if request.method == "POST":
        act = {"home": _home, "agree": _agree}.get(request.POST.get("step"))
        return act(request, token, link, plan) if act else _show(request, token, plan, status=400)
    if request.method == "GET":
        audit.record("care_plan.read_by_link", on=plan, by_whom="patient")
    return _show(request, token, plan, day=_day(request.GET))


def _day(given) -> date | None:
    form = DayForm(given)
    return form.cleaned_data["day"] if form.is_valid() else None


def _show(request, token, plan, *, day=None, signature=None, born=None, status=200, **more):
    content = portal_page.read(plan, day)
    signing = content["signing"]
    if signing and signing.plan:
        content["signature"] = signature or SignatureForm(is_minor=signing.is_minor)
        content["born"] = born or BirthDateForm()
    return render(request, "careplans/portal.html", {**content, "token": token, **more}, status=status)


def _home(request, token, link, plan):
    """Each exercise is answered yes or no; what is left open stays not answered."""
    day = _day(request.POST)
    done = {
        row.code: ANSWERS[said]
        for row in home_programme.exercises(plan)
        if (said := request.POST.get(f"done-{row.code}")) in ANSWERS
    }
    try:
        if day is None:
            raise RuleBroken("Say for which day.", code="invalid", status=400)
        home_programme.answer(plan, day, done)
    except RuleBroken as refused:
        return _show(request, token, plan, day=day, problem=refused.message, status=refused.status)
    return _show(request, token, plan, day=day, saved=True)


def _agree(request, token, link, plan):
    signature = SignatureForm(request.POST, is_minor=False)
    born = BirthDateForm(request.POST)
    if not all([signature.is_valid(), born.is_valid()]):
        return _show(request, token, plan, signature=signature, born=born, status=400)
    try:
        plan_links.agree(
            link, plan, signature.signature(), born_on=born.cleaned_data["born_on"],
            digest=request.POST.get("plan_digest", ""),
        )  # fmt: skip
    except RuleBroken as refused:
        if refused.code == "link_dead":
            return gone(request)
        show(refused, signature, born)
        return _show(request, token, plan, signature=signature, born=born, status=refused.status)
    return _show(request, token, plan, signed=True)


@require_POST
@requires("careplan.schedule")
def ask_to_book(request, pk):
    """From the worklist, and back to it."""
    found = sight.find(CarePlan.objects.with_names(), request.user, "careplan.schedule", pk)
    try:
        asking_to_book.ask(found, by=request.user)
    except RuleBroken as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"A mail to {found.patient} is on its way; the line comes back in three days.")
    return redirect(request.POST["next"] if request.POST.get("next", "").startswith("/worklists/") else "worklists")


@require_POST
@requires("careplan.write")
def send_link(request, pk):
    found = sight.find(CarePlan.objects.with_names(), request.user, "careplan.write", pk)
    try:
        plan_links.ask(found, by=request.user)
    except RuleBroken as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"The page is on its way to {found.patient.email}.")
    return redirect("plan", pk)
