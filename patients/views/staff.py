from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, times
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations import access, current
from patients import chart, chart_opening, queries, registering, sight
from patients.forms import NewPatientForm, PatientForm
from patients.models import Consent, Patient

A_PAGE = 25


@require_GET
@requires("patient.search")
def patients(request):
    """All patients in sight, or those found; the fragment alone for search as you type."""
    typed, after = request.GET.get("q", ""), request.GET.get("after", "")
    after = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    found, is_alike, status, problem = [], False, 200, ""
    try:
        found = queries.search(request.user, typed, limit=A_PAGE + 1, after=after)
        if not found and after is None:
            found = queries.sounding_like(request.user, typed)
            is_alike = bool(found)
    except RuleBroken as refused:
        status, problem = refused.status, refused.message
    context = {
        "typed": typed[:200],
        "problem": problem,
        "found": found[:A_PAGE],
        "is_alike": is_alike,
        "is_first": after is None,
        "next_after": found[A_PAGE - 1].pk if len(found) > A_PAGE else None,
        "may_create": access.can(request.user, "patient.create"),
    }
    name = "patients/_found.html" if request.htmx else "patients/patients.html"
    # htmx shows only answers of 200; without script the status says what it is.
    return render(request, name, context, status=200 if request.htmx else status)


def _say_on_form(form, refused):
    """The refusal at its fields, or above the form."""
    for name, said in refused.fields.items():
        if name in form.fields:
            form.add_error(name, said)
    if not set(refused.fields) & set(form.fields):
        form.add_error(None, refused.message)


@require_http_methods(["GET", "POST"])
@requires("patient.create")
def new(request):
    """Register; where somebody may be known already, show them and ask."""
    here = current.current(request)
    form = NewPatientForm(request.POST or None, user=request.user, initial={"home_location": here})
    duplicates = Patient.objects.none()
    if request.method == "POST" and form.is_valid():
        try:
            patient = registering.register(by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            if refused.code == "possible_duplicate":
                duplicates = Patient.objects.visible_to(request.user).filter(pk__in=refused.fields["duplicates"])
            else:
                _say_on_form(form, refused)
        else:
            messages.success(request, f"{patient} is registered.")
            return redirect("patient", patient.pk)
    context = {"form": form, "duplicates": duplicates.select_related("home_location")}
    return render(request, "patients/new.html", context)


@require_http_methods(["GET", "POST"])
@requires("patient.write")
def edit(request, pk):
    patient = get_object_or_404(Patient.objects.visible_to(request.user, "patient.write"), pk=pk)
    name = patient.name
    form = PatientForm(request.POST or None, user=request.user, instance=patient)
    # A home clinic elsewhere is left as it is by people who do not work there.
    form.fields["home_location"].queryset |= type(patient.home_location).objects.filter(pk=patient.home_location_id)
    if request.method == "POST" and form.is_valid():
        try:
            registering.amend(patient, by=request.user, **form.cleaned_data)
        except RuleBroken as refused:
            _say_on_form(form, refused)
        else:
            messages.success(request, "Saved.")
            return redirect("patient", pk)
    return render(request, "patients/edit.html", {"form": form, "pk": pk, "name": name})


@require_GET
@requires("patient.read")
def patient(request, pk):
    """Everything about one patient that the user may see; that it was seen is recorded."""
    person = get_object_or_404(Patient.objects.visible_to(request.user).select_related("home_location"), pk=pk)
    audit.record("patient.read", on=person, by=request.user)
    zone = person.home_location.time_zone
    now = times.now()
    entries = [{"entry": e, "at": times.local(e.at, zone)} for e in chart.timeline(person, request.user)]
    may = sight.allowed(request.user, person)
    by_reason = "evaluation.read" in may and "evaluation.write" not in may
    today = person.home_location.today()
    had_birthday = (today.month, today.day) >= (person.birth_date.month, person.birth_date.day)
    context = {
        "patient": person,
        "age": today.year - person.birth_date.year - (not had_birthday),
        "known_at": person.locations.all(),
        "reminders": person.consents.filter(scope=Consent.Scope.EMAIL_REMINDERS, withdrawn_at=None).first(),
        "ahead": [one for one in reversed(entries) if one["entry"].at > now],
        "so_far": [one for one in entries if one["entry"].at <= now],
        "actions": chart.actions(person, may),
        "panels": chart.panels(person, request, may),
        "is_closed": "chart.open" in may and "evaluation.read" not in may,
        "opened": chart_opening.running(request.user, person) if by_reason else None,
        "may_write": "patient.write" in may,
        "zone": f"{times.local(now, zone):%Z}",
    }
    return render(request, "patients/patient.html", context)


@require_POST
@requires("patient.write")
def consent(request, pk):
    """The switch for e-mail about visits."""
    person = get_object_or_404(Patient.objects.visible_to(request.user, "patient.write"), pk=pk)
    if request.POST.get("given") == "yes":
        registering.give_consent(person, Consent.Scope.EMAIL_REMINDERS, by=request.user)
        messages.success(request, "Recorded: agrees to e-mail about visits.")
    else:
        registering.withdraw_consent(person, Consent.Scope.EMAIL_REMINDERS, by=request.user)
        messages.success(request, "Recorded: no e-mail from now on.")
    return redirect("patient", pk)
