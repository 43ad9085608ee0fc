from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from appointments.forms import day_field, reason_field
from appointments.mails import follow_ups
from appointments.models import Appointment, FollowUp
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations.models import Location
from patients.models import Patient


class RecordCall(forms.Form):
    """About a visit, or about a patient at a location; what it is about was chosen by the page."""

    about = forms.ChoiceField(choices=FollowUp.About, widget=forms.HiddenInput)
    visit = forms.ModelChoiceField(Appointment.objects.none(), required=False, widget=forms.HiddenInput)
    patient = forms.ModelChoiceField(Patient.objects.none(), required=False, widget=forms.HiddenInput)
    location = forms.ModelChoiceField(Location.objects.none(), required=False, widget=forms.HiddenInput)
    next = forms.CharField(required=False, widget=forms.HiddenInput)
    result = forms.ChoiceField(choices=FollowUp.Result, label="What became of the call")
    again_on = day_field(
        label="Call again on",
        required=False,
        help_text="Left empty, a call that did not settle it comes back tomorrow.",
    )
    note = reason_field("Note")

    def __init__(self, data, *, user):
        super().__init__(data)
        self.fields["visit"].queryset = Appointment.objects.visible_to(user, "appointment.change").with_names()
        self.fields["patient"].queryset = Patient.objects.visible_to(user)
        self.fields["location"].queryset = Location.objects.visible_to(user, "appointment.change")

    def whom(self):
        """(patient, location, visit or None); Http404 for what is out of sight or not named."""
        data = self.cleaned_data
        visit = data.get("visit")
        patient, location = (visit.patient, visit.location) if visit else (data.get("patient"), data.get("location"))
        if {"about", "visit", "patient", "location"} & set(self.errors) or not (patient and location):
            raise Http404
        return patient, location, visit


@require_POST
@requires("appointment.change")
def record(request):
    """Keep the result of a call and go back to the list; a refusal keeps what was typed."""
    form = RecordCall(request.POST, user=request.user)
    form.is_valid()
    patient, location, visit = form.whom()
    if not form.errors:
        data = form.cleaned_data
        try:
            made = follow_ups.record(
                patient=patient, location=location, about=data["about"], appointment=visit, result=data["result"],
                note=data["note"], again_on=data["again_on"], by=request.user,
            )  # fmt: skip
        except RuleBroken as refused:
            for name, said in refused.fields.items():
                form.add_error(name, said)
        else:
            back = "off the list" if made.is_done else f"back on {made.again_on:%A, %B} {made.again_on.day}"
            messages.success(request, f"{patient}: {made.get_result_display().lower()}, {back}.")
            return redirect(_next(data["next"], request))
    context = {"form": form, "patient": patient, "back": _next(request.POST.get("next", ""), request)}
    return render(request, "appointments/follow_up.html", context, status=400)


def _next(address, request):
    """Where the person came from, if that is an address of ours."""
    allowed = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if allowed else "/"
