from django.conf import settings
from django.db import models
from django.db.models import F, Q

from appointments.models import Series
from appointments.recurring.patterns import FEWEST, Stretch
from clinic.text import clean_line, clean_note
from evaluations.models import Evaluation
from locations.models import Location, Practitioner
from patients.models import ConsentForm, Patient, in_sight


class PlanTemplate(models.Model):
    """A plan that the group keeps ready, in versions. What was made from one never changes with it."""

    name = models.CharField(max_length=100, unique=True, validators=[clean_line])
    is_offered = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class PlanTemplateVersion(models.Model):
    """What a template said at one time (`plan_templates.Sketch`). Never changed; the latest is what is offered."""

    template = models.ForeignKey(PlanTemplate, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    sketch = models.JSONField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="plan_template_versions"
    )
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_versions_in_order")]

    def __str__(self):
        return f"{self.template}, version {self.number}"


class CarePlanQuerySet(models.QuerySet):
    def visible_to(self, user, action="careplan.read"):
        return in_sight(self, user, action)

    def with_names(self):
        return self.select_related(
            "patient", "evaluation", "location", "practitioner__user", "series", "made_from__template"
        )


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
    made_from = models.ForeignKey(PlanTemplateVersion, models.PROTECT, null=True, blank=True, related_name="care_plans")
    # The one it was begun under; whether it still stands is asked of the patient's forms (`consent_rules.py`).
    consent = models.ForeignKey(ConsentForm, models.PROTECT, null=True, blank=True, related_name="care_plans")
    version = models.PositiveSmallIntegerField(default=1, help_text="Counts up with each revision.")
    note = models.TextField(blank=True, validators=[clean_note])
    diagnoses = models.JSONField(default=list, blank=True, help_text="A line each, with its code: the primary first.")
    referrals = models.JSONField(default=list, blank=True, help_text="A line each: who referred, and to whom.")
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
        ]

    def __str__(self):
        return f"Care plan of {self.patient}"

    @property
    def is_draft(self):
        return self.status == self.Status.DRAFT

    @property
    def is_active(self):
        return self.status == self.Status.ACTIVE

    @property
    def is_under_way(self):
        """Written, and not over."""
        return self.status in {self.Status.DRAFT, self.Status.ACTIVE, self.Status.ON_HOLD}


class PlanEvent(models.Model):
    """One step of a plan's life: what, who, when, and why. Never changed."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="history")
    step = models.CharField(max_length=40)
    from_status = models.CharField(max_length=15, blank=True)
    to_status = models.CharField(max_length=15)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="plan_events",
        help_text="Nobody: the patient, by a link.",
    )  # fmt: skip
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["at", "pk"]


class PlanVersion(models.Model):
    """What a plan said at one time, as the document that is read and signed (`plan_documents.py`). Never changed."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plan_versions_written")
    written_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_versions_in_order")]


class Agreement(models.Model):
    """A patient's signature under one version of a plan, with the digest of what was shown. Never changed."""

    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="agreements")
    digest = models.CharField(max_length=64)
    typed_name = models.CharField(max_length=200, validators=[clean_line])
    is_guardian = models.BooleanField(default=False)
    relationship = models.CharField(max_length=60, blank=True, validators=[clean_line])
    authority_document = models.CharField(max_length=100, blank=True, validators=[clean_line])
    patient_assent = models.BooleanField(null=True)
    drawing = models.JSONField(default=list, help_text="Strokes of whole numbers (`patients/signatures.py`).")
    signed_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="agreements_taken",
        help_text="Who was there with the patient; nobody where it was signed by a link.",
    )  # fmt: skip

    class Meta:
        ordering = ["signed_at", "pk"]


class Reevaluation(models.Model):
    """What a clinician found and decided when a plan was looked at again, with the data it rests on. Never changed."""

    class Result(models.TextChoices):
        IMPROVED = "improved", "Improved, goals reached"
        PARTLY = "partly", "Partly better"
        UNCHANGED = "unchanged", "Unchanged"
        WORSE = "worse", "Worse"
        UNKNOWN = "unknown", "Unknown: data are missing"

    class Decision(models.TextChoices):
        GO_ON = "go_on", "Go on with the visits planned"
        EXTEND = "extend", "Extend once by the same length"
        SUPPORTIVE = "supportive", "Go over to supportive care"
        DISCHARGE = "discharge", "Discharge"
        CHANGE = "change_technique", "Change the technique"
        REFER = "refer", "Refer, and end the plan"
        STOP = "stop", "Stop manual care of the neck, and refer"

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="reevaluations")
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="plan_reevaluations")
    proposed = models.CharField(max_length=10, choices=Result, blank=True, help_text="By the table; empty: unknown.")
    result = models.CharField(max_length=10, choices=Result)
    decision = models.CharField(max_length=20, choices=Decision)
    reason = models.CharField(max_length=500, validators=[clean_line])
    evidence = models.JSONField(help_text="The data that were shown.")
    techniques = models.JSONField(default=list, help_text="Codes of what was tried.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="plan_reevaluations")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [models.UniqueConstraint(fields=["plan", "evaluation"], name="an_evaluation_judged_once_a_plan")]


class Discharge(models.Model):
    """How a plan ended: why, how the patient is, what stays, and when to come back. Never changed."""

    class Reason(models.TextChoices):
        GOALS_MET = "goals_met", "Goals reached"
        PLATEAU = "plateau", "No further gain over two re-evaluations"
        REFERRED = "referred_out", "Referred to somebody else"
        CHOICE = "patient_choice", "The patient's choice"
        AWAY = "non_attendance", "Did not come any more"
        SAFETY = "safety", "Safety"

    plan = models.OneToOneField(CarePlan, models.CASCADE, related_name="discharge")
    reason = models.CharField(max_length=20, choices=Reason)
    why = models.CharField(max_length=300, blank=True, validators=[clean_line])
    measures = models.JSONField(help_text="The goals with the values that were last measured.")
    pgic = models.PositiveSmallIntegerField(null=True, help_text="Impression of change, 1 best to 7 worst.")
    residual = models.TextField(blank=True, validators=[clean_note])
    home = models.TextField(blank=True, validators=[clean_note])
    return_if = models.TextField(validators=[clean_note])
    summary_to = models.CharField(max_length=200, blank=True, validators=[clean_line])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="discharges")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pgic=None) | Q(pgic__range=(1, 7)), name="impression_from_1_to_7")
        ]


class Phase(models.Model):
    """A stretch of a plan: so many visits a week, or one every so many weeks, for so many weeks."""

    class Kind(models.TextChoices):
        RELIEF = "relief", "Relief"
        CORRECTIVE = "corrective", "Corrective"
        STABILISATION = "stabilisation", "Stabilisation"

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="phases")
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=15, choices=Kind)
    visits_per_week = models.PositiveSmallIntegerField()
    every_weeks = models.PositiveSmallIntegerField(default=1, db_default=1)
    weeks = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "order"], name="phases_in_order"),
            models.CheckConstraint(
                condition=Q(visits_per_week__range=(1, 7), weeks__range=(1, 52)), name="phase_of_a_sane_size"
            ),
            models.CheckConstraint(
                condition=Q(every_weeks=1) | Q(every_weeks__range=(2, FEWEST), visits_per_week=1),
                name="one_visit_where_weeks_lie_between",
            ),
        ]

    @property
    def stretch(self):
        return Stretch(self.visits_per_week, self.weeks, self.every_weeks)

    @property
    def visit_count(self):
        return self.stretch.visits


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


class HomeAnswer(models.Model):
    """Whether the patient did one exercise of the home programme on one day. No row: not answered."""

    plan = models.ForeignKey(CarePlan, models.CASCADE, related_name="home_answers")
    code = models.CharField(max_length=40)
    day = models.DateField()
    is_done = models.BooleanField()
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ["day", "code"]
        constraints = [models.UniqueConstraint(fields=["plan", "code", "day"], name="a_home_answer_once_a_day")]
