from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from appointments.models import Appointment
from clinic import times
from clinic.text import clean_line, clean_note
from evaluations import catalogue
from locations import access
from locations.models import Location
from patients.models import Patient, in_sight


class EvaluationQuerySet(models.QuerySet):
    def visible_to(self, user, action="evaluation.read"):
        """Evaluations of patients known where the user may do the action."""
        return in_sight(self, user, action)

    def in_force(self):
        """Signed, and not entered in error: what later ones are compared with and plans rest on."""
        signed = self.filter(signed_at__isnull=False, withdrawal=None)
        return signed.exclude(status=Evaluation.Status.ENTERED_IN_ERROR)


class Evaluation(models.Model):
    """A structured examination of a patient: a draft until it is signed, then fixed for good."""

    class Kind(models.TextChoices):
        INITIAL = "initial", "Initial evaluation"
        REEVALUATION = "reevaluation", "Re-evaluation"
        DISCHARGE = "discharge", "Discharge evaluation"

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        SIGNED = "signed", "Signed"
        STOPPED = "stopped_red_flag", "Stopped for safety"
        ENTERED_IN_ERROR = "entered_in_error", "Entered in error"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="evaluations")
    appointment = models.OneToOneField(Appointment, models.PROTECT, null=True, blank=True, related_name="evaluation")
    location = models.ForeignKey(Location, models.PROTECT, related_name="evaluations")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.INITIAL)
    status = models.CharField(max_length=20, choices=Status, default=Status.IN_PROGRESS)
    version = models.PositiveIntegerField(default=0)
    section_seconds = models.JSONField(default=dict)
    measures = models.JSONField(default=dict, help_text="Outcome scores: raw inputs by name.")
    conclusion = models.TextField(blank=True, validators=[clean_note])
    intake = models.JSONField(null=True, help_text="The patient's answers as they were confirmed at this evaluation.")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="evaluations_started")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    examiner = models.CharField(
        max_length=200, blank=True, validators=[clean_line], help_text="Of a chart brought in: as its file names them."
    )
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="evaluations_signed"
    )
    signed_at = models.DateTimeField(null=True)
    age_when_signed = models.PositiveSmallIntegerField(null=True, help_text="In years; results depend on it.")
    digest = models.CharField(max_length=64, blank=True)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None, digest="")
                | (Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(digest="")),
                name="signature_whole_or_absent",
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} of {self.patient}"

    @property
    def is_signed(self):
        return self.signed_at is not None

    @property
    def is_entered_in_error(self):
        """By its chart file, or declared so here; a query, unless `withdrawal` was selected with it."""
        return self.status == self.Status.ENTERED_IN_ERROR or hasattr(self, "withdrawal")

    @property
    def is_in_force(self):
        return self.is_signed and not self.is_entered_in_error

    @property
    def standing(self):
        """The status as it counts now: what was signed keeps the one it was signed with."""
        return self.Status.ENTERED_IN_ERROR if self.is_entered_in_error else self.Status(self.status)

    @property
    def standing_words(self):
        return self.standing.label

    @property
    def age(self):
        """The patient's whole years on the day it began, in the zone of the location; of a signed one as it was signed.

        A birth date that is corrected later does not move what was signed.
        """
        if self.age_when_signed is not None:
            return self.age_when_signed
        return self.patient.age_on(times.day_of(self.started_at, self.location.time_zone))


class Withdrawal(models.Model):
    """The declaration that an evaluation was entered in error, with its reason; it stands beside what was signed."""

    evaluation = models.OneToOneField(Evaluation, models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=500, validators=[clean_line])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="evaluations_withdrawn")
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.evaluation}: entered in error"


def value_of(entry: catalogue.Entry, number, text: str, choices):
    """The value of an assessed finding from the column that holds it."""
    match entry.kind:
        case "integer":
            return int(number)
        case "decimal":
            # As many places as the step has, whichever way the database keeps them.
            return Decimal(number).quantize(entry.step)
        case "yes_no":
            return text == "yes"
        case "choices":
            return choices
        case _:
            return text


class Finding(models.Model):
    """One observation of an evaluation, defined by the catalogue; its status is apart from its value."""

    class Status(models.TextChoices):
        ASSESSED = "assessed", "Assessed"
        NOT_ASSESSED = "not_assessed", "Not assessed"
        REFUSED = "refused", "Refused"
        NOT_ASSESSABLE = "not_assessable", "Not assessable"
        DEFERRED = "deferred_unsafe", "Deferred for safety"

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="findings")
    code = models.CharField(max_length=60)
    qualifiers = models.JSONField(default=dict)
    qualifier_key = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=Status)
    number = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    text = models.CharField(max_length=200, blank=True)
    choices = models.JSONField(null=True)
    readings = models.JSONField(null=True, help_text="Of a motion measured several times: every try in its order.")
    direction = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="findings_recorded")
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "code", "qualifier_key"], name="a_finding_once_an_evaluation"
            ),
            models.CheckConstraint(
                condition=Q(status="assessed") | Q(number=None, text="", direction=""),
                name="a_value_only_when_assessed",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["assessed", "not_assessed"]) | ~Q(reason=""), name="a_reason_when_not_possible"
            ),
        ]

    @property
    def entry(self):
        return catalogue.FINDINGS[self.code]

    @property
    def key(self):
        return self.code, self.qualifier_key

    @property
    def value(self):
        """The value as it was recorded: int, Decimal, bool, text or list; None unless assessed."""
        if self.status != self.Status.ASSESSED:
            return None
        return value_of(self.entry, self.number, self.text, self.choices)


class SaveOperation(models.Model):
    """An autosave that was applied, so that a retry of a lost answer is applied once."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="operations")
    operation = models.UUIDField(unique=True)
    answer = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)


class Addendum(models.Model):
    """What was added to a signed evaluation, with its reason; the original stays as it was."""

    evaluation = models.ForeignKey(Evaluation, models.PROTECT, related_name="addenda")
    text = models.TextField(validators=[clean_note])
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="addenda_written")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        verbose_name_plural = "addenda"


class RedFlagAnswer(models.Model):
    """One answer to one red-flag question; later answers are new rows, the earlier ones stay."""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        NO = "no", "No"
        UNKNOWN = "unknown", "Unknown"
        DECLINED = "declined", "Declined"

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="red_flag_answers")
    evaluation = models.ForeignKey(Evaluation, models.CASCADE, null=True, related_name="red_flag_answers")
    code = models.CharField(max_length=40)
    answer = models.CharField(max_length=10, choices=Answer)
    is_automatic = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="red_flag_answers")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]


class RedFlagEvent(models.Model):
    """An open safety question about a patient; while one is open, care of the neck is blocked at every location."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="red_flag_events")
    evaluation = models.ForeignKey(Evaluation, models.SET_NULL, null=True, related_name="red_flag_events")
    code = models.CharField(max_length=40)
    tier = models.CharField(max_length=10)
    answer = models.CharField(max_length=10)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="red_flag_events_opened"
    )
    resolution = models.CharField(max_length=30, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="red_flag_events_resolved"
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="red_flag_corrections_proposed"
    )
    rationale = models.TextField(blank=True)
    restrictions = models.JSONField(default=list)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["opened_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "code"], condition=Q(resolved_at=None), name="one_open_event_per_flag"
            )
        ]

    def __str__(self):
        return self.label

    @property
    def label(self):
        return catalogue.RED_FLAGS[self.code].label

    @property
    def is_told_by_patient(self):
        """Answered on the phone, before anybody at the clinic asked."""
        return self.opened_by_id is None and self.evaluation_id is None


class SelfIntake(models.Model):
    """How far a patient is with the questions before a visit, and what was answered to those of safety there."""

    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="self_intake")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="self_intakes")
    parts = models.JSONField(default=list)
    red_flags = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)


class IntakeAsk(models.Model):
    """Somebody of the clinic had the link to the questions before a visit mailed to the patient."""

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="intake_asks")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="intake_asks")
    asked_at = models.DateTimeField(db_index=True)


class VisitNote(models.Model):
    """What happened at one visit for treatment: a draft until it is signed, then fixed for good (reference 4.8)."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="visit_notes")
    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="visit_note")
    location = models.ForeignKey(Location, models.PROTECT, related_name="visit_notes")
    content = models.JSONField(default=dict, help_text="What was said, by the names of note_fields; carried is not.")
    version = models.PositiveIntegerField(default=0)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="visit_notes_started")
    started_at = models.DateTimeField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="visit_notes_saved")
    facts = models.JSONField(default=dict, help_text="What was worked out at the signature and is signed with it.")
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="visit_notes_signed"
    )
    signed_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64, blank=True)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        ordering = ["-appointment__starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_at=None, signed_by=None, digest="")
                | (Q(signed_at__isnull=False, signed_by__isnull=False) & ~Q(digest="")),
                name="note_signature_whole_or_absent",
            )
        ]

    def __str__(self):
        return f"Visit note of {self.patient}"

    @property
    def is_signed(self):
        return self.signed_at is not None

    @property
    def day(self):
        """The day of the visit where it was."""
        return times.day_of(self.appointment.starts_at, self.location.time_zone)


class NoteOperation(models.Model):
    """An autosave of a note that was applied, so that a retry of a lost answer is applied once."""

    note = models.ForeignKey(VisitNote, models.CASCADE, related_name="operations")
    operation = models.UUIDField(unique=True)
    answer = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)


class NoteAddendum(models.Model):
    """What was added to a signed note, with its reason; the original stays as it was."""

    note = models.ForeignKey(VisitNote, models.PROTECT, related_name="addenda")
    text = models.TextField(validators=[clean_note])
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="note_addenda_written")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = "note addenda"


class IncidentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Of the clinics that the user answers for, and those whose note they wrote themselves."""
        places = access.location_ids(user, "incident.read", own=False)
        theirs = Q(location__isnull=False) if places is None else Q(location__in=places)
        mine = Q(opened_by=user) if access.can(user, "incident.read") else Q(pk=None)
        return self.filter(theirs | mine)


class Incident(models.Model):
    """A serious reaction to treatment, looked into until it is closed; what happened stands in its note."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        IN_REVIEW = "in_review", "Being looked into"
        CLOSED = "closed", "Closed"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="incidents")
    note = models.OneToOneField(VisitNote, models.PROTECT, related_name="incident")
    location = models.ForeignKey(Location, models.PROTECT, related_name="incidents")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="incidents_opened")
    opened_at = models.DateTimeField()

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]

    def __str__(self):
        return f"Incident of {self.patient}"

    @property
    def is_closed(self):
        return self.status == self.Status.CLOSED


class IncidentStep(models.Model):
    """One step of an incident: what, who, when, and in their words. Never changed."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=20)
    to_status = models.CharField(max_length=10)
    text = models.TextField(blank=True, validators=[clean_note])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="incident_steps")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
