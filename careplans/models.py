from django.conf import settings
from django.db import models
from django.db.models import F, Q

from appointments.models import Series
from clinic.text import clean_line, clean_note
from evaluations.models import Evaluation
from locations.models import Location, Practitioner
from patients.models import Patient, in_sight


class CarePlanQuerySet(models.QuerySet):
    def visible_to(self, user, action="careplan.read"):
        return in_sight(self, user, action)

    def with_names(self):
        return self.select_related("patient", "evaluation", "location", "practitioner__user", "series")


class CarePlan(models.Model):
    """What was agreed with a patient: phases of visits, goals and interventions, from a signed evaluation."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        ON_HOLD = "on_hold", "On hold"
        COMPLETED = "completed", "Completed"
        DISCONTINUED = "discontinued", "Discontinued"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="care_plans")
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="care_plans")
    location = models.ForeignKey(Location, models.PROTECT, related_name="care_plans")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="care_plans")
    status = models.CharField(max_length=15, choices=Status, default=Status.DRAFT)
    starts_on = models.DateField()
    reevaluate_after_visits = models.PositiveSmallIntegerField(default=12)
    reevaluate_by = models.DateField(null=True, blank=True)
    consent_signed_at = models.DateTimeField(null=True)
    consent_signed_name = models.CharField(max_length=200, blank=True, validators=[clean_line])
    note = models.TextField(blank=True, validators=[clean_note])
    restrictions = models.JSONField(default=list, help_text="Of this plan, beside those of the patient's red flags.")
    # The visits of the phases, from the activation on: stretch n of the series is phase n.
    series = models.OneToOneField(Series, models.PROTECT, null=True, blank=True, related_name="care_plan")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="care_plans_created")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)

    objects = CarePlanQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["patient"], condition=Q(status="active"), name="one_active_plan_a_patient"),
            models.CheckConstraint(
                condition=Q(consent_signed_at=None, consent_signed_name="")
                | (Q(consent_signed_at__isnull=False) & ~Q(consent_signed_name="")),
                name="plan_consent_whole_or_absent",
            ),
        ]

    def __str__(self):
        return f"Care plan of {self.patient}"

    @property
    def is_draft(self):
        return self.status == self.Status.DRAFT

    @property
    def is_active(self):
        return self.status == self.Status.ACTIVE


class PlanEvent(models.Model):
    """One step of a plan's life: what, who, when, and why. Never changed."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="history")
    step = models.CharField(max_length=20)
    from_status = models.CharField(max_length=15, blank=True)
    to_status = models.CharField(max_length=15)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plan_events")
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["at", "pk"]


class Phase(models.Model):
    """A stretch of a plan: so many visits a week for so many weeks."""

    class Kind(models.TextChoices):
        RELIEF = "relief", "Relief"
        CORRECTIVE = "corrective", "Corrective"
        STABILISATION = "stabilisation", "Stabilisation"

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="phases")
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=15, choices=Kind)
    visits_per_week = models.PositiveSmallIntegerField()
    weeks = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "order"], name="phases_in_order"),
            models.CheckConstraint(
                condition=Q(visits_per_week__range=(1, 7), weeks__range=(1, 52)), name="phase_of_a_sane_size"
            ),
        ]

    @property
    def visit_count(self):
        return self.visits_per_week * self.weeks


class Goal(models.Model):
    """A number to reach by a date."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="goals")
    metric = models.CharField(max_length=60)
    unit = models.CharField(max_length=20)
    baseline = models.DecimalField(max_digits=7, decimal_places=2)
    target = models.DecimalField(max_digits=7, decimal_places=2)
    due_on = models.DateField()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(target=F("baseline")), name="goal_is_a_change")]


class Intervention(models.Model):
    """What is done at the visits or at home."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="interventions")
    code = models.CharField(max_length=40)
    dose = models.CharField(max_length=200, blank=True, validators=[clean_line])
    # Empty: as the list of interventions groups it. A chart brought in may count soft-tissue work a technique.
    role = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "code", "dose"], name="an_intervention_once_a_plan")]
