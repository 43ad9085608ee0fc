"""What patients hold in their hands: addresses behind links, and what a good form there says."""

from appointments.models import Appointment
from patients import mail_choices
from patients.models import Patient


def born(side):
    return Patient.objects.get(pk=side.patient.pk).birth_date.isoformat()


def seen(side):
    return Appointment.objects.values_list("sequence", flat=True).get(pk=side.visit.pk)


def moved(side, starts_at):
    return {"to": f"{starts_at}|{side.place.slug}|{side.chiro.pk}", "seen": seen(side), "born_on": born(side)}


def stopped(side):
    mail_choices.stop(side.patient, mail_choices.Topic.REMINDERS, by=None, by_whom="patient")
