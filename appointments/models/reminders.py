from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from appointments.models.hours import AppointmentType
from locations.models import Location

MOST_HOURS = 30 * 24


class ReminderSchedule(models.Model):
    """How patients are reminded of visits of a type, at a location; without one of them, of every type or everywhere.

    A schedule without steps means that nobody is reminded.
    """

    type = models.ForeignKey(AppointmentType, models.CASCADE, null=True, blank=True, related_name="reminder_schedules")
    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="reminder_schedules")

    class Meta:
        ordering = ["type__name", "location__name"]
        constraints = [
            models.UniqueConstraint(Coalesce("type", 0), Coalesce("location", 0), name="one_reminder_schedule_each")
        ]


class ReminderStep(models.Model):
    """One reminder: so many hours before the visit, perhaps only while the patient has not confirmed it."""

    schedule = models.ForeignKey(ReminderSchedule, models.CASCADE, related_name="steps")
    hours_before = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)])
    only_unconfirmed = models.BooleanField(default=False)

    class Meta:
        ordering = ["-hours_before"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "hours_before"], name="one_reminder_step_an_hour"),
            models.CheckConstraint(
                condition=Q(hours_before__gte=1, hours_before__lte=MOST_HOURS), name="reminder_step_within_a_month"
            ),
        ]
