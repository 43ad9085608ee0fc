from django.conf import settings
from django.db import models
from django.db.models import Q

from appointments.models.visits import Appointment
from clinic.text import clean_line
from locations import access
from locations.models import Location
from patients.models import Patient


class FollowUpQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "location")


class FollowUp(models.Model):
    """What became of a call about a line of a worklist. Never changed: the next call is the next row."""

    class About(models.TextChoices):
        UNCONFIRMED = "unconfirmed", "Visit not confirmed"
        MISSED = "missed", "Missed visit"
        NO_VISIT = "no_visit", "No visit ahead"
        OWED = "owed", "Visit still to be booked"
        PACE = "pace", "Behind on a care plan"
        IN_THE_WAY = "in_the_way", "Clinic closed or practitioner away"
        ONLINE = "online", "Booked on the public page"

    class Result(models.TextChoices):
        NO_ANSWER = "no_answer", "No answer"
        LEFT_MESSAGE = "left_message", "Left a message"
        CALL_AGAIN = "call_again", "Asked to be called again"
        WRONG_NUMBER = "wrong_number", "Wrong number"
        SETTLED = "settled", "Spoke with them, settled"
        DECLINED = "declined", "Does not want it"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="follow_ups")
    location = models.ForeignKey(Location, models.PROTECT, related_name="follow_ups")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="follow_ups")
    about = models.CharField(max_length=12, choices=About)
    result = models.CharField(max_length=12, choices=Result)
    again_on = models.DateField(null=True, blank=True, help_text="Empty when it is done with.")
    note = models.CharField(max_length=300, blank=True, validators=[clean_line])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="follow_ups")
    at = models.DateTimeField()

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["appointment", "about", "-at"], name="follow_up_appointment"),
            models.Index(fields=["patient", "about", "-at"], name="follow_up_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(result__in=["settled", "declined"], again_on=None)
                | Q(result__in=["no_answer", "left_message", "call_again", "wrong_number"], again_on__isnull=False),
                name="follow_up_done_or_again",
            )
        ]

    @property
    def is_done(self):
        return self.again_on is None
