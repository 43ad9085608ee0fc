from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from appointments.models.hours import AppointmentType
from appointments.models.visits import HOLDS_TIME, Appointment
from appointments.recurring.patterns import Pattern
from clinic import times
from clinic.text import clean_line
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient


class SeriesQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "location")

    def with_names(self):
        return self.select_related("patient", "type", "checkpoint_type", "practitioner__user", "location")


class Series(models.Model):
    """Visits of one patient that belong together, as they were wanted. Debts are listed while it is open."""

    title = models.CharField(max_length=60, default="Series of visits")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="series")
    type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="series")
    checkpoint_type = models.ForeignKey(AppointmentType, models.PROTECT, null=True, related_name="series_checkpoints")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="series")
    location = models.ForeignKey(Location, models.PROTECT, related_name="series")
    pattern = models.JSONField()  # as patterns.Pattern writes it
    is_open = models.BooleanField(default=True)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="series_begun")
    begun_at = models.DateTimeField()

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["-begun_at", "-pk"]
        verbose_name_plural = "series"

    def __str__(self):
        return f"{self.as_pattern} for {self.patient}"

    @property
    def as_pattern(self):
        return Pattern.from_json(self.pattern)

    def wanted_type(self, is_checkpoint):
        return self.checkpoint_type if is_checkpoint else self.type


class SeriesVisitQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "series__location")

    def owed(self):
        """Wanted and not on the calendar: nothing stands for it, and nobody let it go."""
        return self.filter(~Exists(self._standing()), waived_reason="", series__is_open=True)

    def debts(self):
        """Owed, and not only because nobody has come to it yet: skipped, fallen off the calendar, or overdue."""
        fell_off = Exists(Appointment.objects.filter(series_visit=OuterRef("pk")))
        return self.owed().filter(~Q(skipped_reason="") | fell_off | Q(wanted_on__lt=times.earliest_today()))

    def with_standing(self):
        """Each with the id of the appointment that stands for it, or None."""
        return self.annotate(standing_id=Subquery(self._standing().values("pk")[:1]))

    def _standing(self):
        return Appointment.objects.filter(HOLDS_TIME, series_visit=OuterRef("pk"))


class SeriesVisit(models.Model):
    """One visit that a series asks for; the appointments made for it, of which at most one stands, point here."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="visits")
    number = models.PositiveSmallIntegerField()
    stretch = models.PositiveSmallIntegerField()  # of the pattern, from 1
    type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="series_visits")
    wanted_on = models.DateField()
    wanted_at = models.TimeField()
    skipped_reason = models.CharField(max_length=200, blank=True, validators=[clean_line])
    waived_reason = models.CharField(max_length=200, blank=True, validators=[clean_line])

    objects = SeriesVisitQuerySet.as_manager()

    class Meta:
        ordering = ["series", "number"]
        constraints = [models.UniqueConstraint(fields=["series", "number"], name="series_visits_numbered")]

    def __str__(self):
        return f"{self.label} of {self.series}"

    @property
    def is_checkpoint(self):
        return self.type_id != self.series.type_id

    @property
    def label(self):
        """`Visit 5`; the checkpoint is called what it is."""
        return str(self.type) if self.is_checkpoint else f"Visit {self.number}"
