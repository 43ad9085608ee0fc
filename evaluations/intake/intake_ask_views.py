"""The button on the page of a visit that sends the questions before it."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from appointments.models import Appointment
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations.intake import intake_asks


@require_POST
@requires("appointment.change")
def send(request, pk):
    rows = Appointment.objects.visible_to(request.user, "appointment.change").with_names()
    visit = get_object_or_404(rows, pk=pk)
    try:
        intake_asks.ask(visit, by=request.user)
    except RuleBroken as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"The questions are on their way to {visit.patient.email}.")
    return redirect("appointment", pk)
