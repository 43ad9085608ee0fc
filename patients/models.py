from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from phonenumber_field.modelfields import PhoneNumberField

from clinic import times
from clinic.fields import CodePointField
from clinic.text import clean_line, clean_note
from locations import access
from locations.models import Location
from patients import treatment


def in_sight(rows, user, action, path="patient"):
    """Rows whose patient, at `path`, is known where the user may do the action.

    Where the access table says so the patient has to be treated there too, or the chart opened with a reason.
    """
    ids = access.location_ids(user, action)
    if ids is not None:
        # Asked of each row by an index: SQLite would first collect everybody who is known there, for one patient too.
        known = Patient.locations.through.objects.filter(location__in=ids, patient=models.OuterRef(path))
        rows = rows.filter(models.Exists(known))
    if not access.is_clinical(action):
        return rows
    may = treatment.is_tied(ids, path)
    if action in access.OPENED:
        may |= Q(models.Exists(ChartOpening.objects.running(user).filter(patient=models.OuterRef(path))))
    return rows.filter(may)


class PatientQuerySet(models.QuerySet):
    def visible_to(self, user, action="patient.read"):
        """Patients known at a location where the user may do the action, and treated there where that is asked."""
        return in_sight(self, user, action, "pk")


class Patient(models.Model):
    """A person under care, known at one or more locations."""

    class Sex(models.TextChoices):
        FEMALE = "female", "Female"
        MALE = "male", "Male"
        OTHER = "other", "Other"
        UNKNOWN = "unknown", "Not said"

    given_name = models.CharField(max_length=200, validators=[clean_line])
    family_name = models.CharField(max_length=200, blank=True, validators=[clean_line])
    birth_date = models.DateField()
    sex = models.CharField(max_length=10, choices=Sex, default=Sex.UNKNOWN)
    email = models.EmailField(blank=True)
    phone = PhoneNumberField(blank=True)
    street = models.CharField(max_length=200, blank=True, validators=[clean_line])
    city = models.CharField(max_length=100, blank=True, validators=[clean_line])
    state = models.CharField(max_length=2, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=5, default="en")
    has_joint_mails = models.BooleanField(
        default=False, help_text="Reminders of everybody at this address who chose so come as one mail."
    )
    gender_identity = models.CharField(max_length=60, blank=True, validators=[clean_line])
    pronouns = models.CharField(max_length=60, blank=True, validators=[clean_line])
    record_number = models.CharField(max_length=40, blank=True, validators=[clean_line], help_text="In another system.")
    home_location = models.ForeignKey(Location, models.PROTECT, related_name="home_patients")
    locations = models.ManyToManyField(Location, related_name="patients")
    note = models.TextField(blank=True, validators=[clean_note], help_text="For the desk; no clinical text.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "pk"]
        indexes = [models.Index(Lower("email"), name="patient_address")]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def patient_id(self):
        return self.pk

    @property
    def age(self):
        """Whole years today, where the patient's home clinic is."""
        return self.age_on(self.home_location.today())

    def age_on(self, day):
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class ChartOpeningQuerySet(models.QuerySet):
    def running(self, user):
        now = times.now()
        return self.filter(by=user, at__lte=now, until__gt=now)

    def visible_to(self, user, action="chart.review"):
        return in_sight(self, user, action)

    def unreviewed(self):
        return self.filter(reviewed_at=None)


class ChartOpening(models.Model):
    """A clinician without a treatment relation read a chart for an hour, and why; somebody else looks at it later."""

    class Reason(models.TextChoices):
        EMERGENCY = "emergency", "Emergency"
        COVERING = "covering", "Covering for a colleague"
        ASKED = "asked", "The patient asked, here or on the phone"
        COMPLAINT = "complaint", "Complaint or incident"
        OTHER = "other", "Something else"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="chart_openings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="charts_opened")
    at = models.DateTimeField(db_index=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=20, choices=Reason)
    words = models.CharField(max_length=500, validators=[clean_line])
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="chart_openings_reviewed"
    )
    finding = models.CharField(max_length=500, blank=True, validators=[clean_line])

    objects = ChartOpeningQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["by", "until"], name="chart_opening_running")]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("at")), name="chart_opening_ends_after_start"),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None)
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(reviewed_by=F("by"))),
                name="chart_opening_reviewed_by_another",
            ),
        ]


class SearchTerm(models.Model):
    """One folded word by which a patient is found, and the rest of the name, by which those found are ordered."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="search_terms", db_index=False)
    term = CodePointField(max_length=400)

    class Meta:
        indexes = [models.Index(fields=["term", "patient"], name="search_terms_in_order")]
        constraints = [models.UniqueConstraint(fields=["patient", "term"], name="a_search_term_once")]


class Consent(models.Model):
    """What a patient agreed to, and until when; a withdrawal closes the row, a new consent is a new row."""

    class Scope(models.TextChoices):
        EMAIL_REMINDERS = "email_reminders", "E-mail about visits"
        EXAMINATION = "examination", "Examination"
        CHIROPRACTIC_CARE = "chiropractic_care", "Chiropractic care"
        PHOTOGRAPHY = "photography", "Photographs of posture"
        IMAGING = "imaging", "X-rays"
        SMS_REMINDERS = "sms_reminders", "Text messages about visits"
        SHARING = "sharing", "Sending findings to other health professionals"

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="consents")
    scope = models.CharField(max_length=30, choices=Scope)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="consents_recorded")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "scope"], condition=Q(withdrawn_at=None), name="one_open_consent"
            )
        ]


class StoppedMail(models.Model):
    """A kind of mail that the patient wants no more; taking it up again closes the row."""

    class Topic(models.TextChoices):
        NOTICES = "notices", "Visits booked, moved or cancelled"
        REMINDERS = "reminders", "Reminders before a visit"
        OFFERS = "offers", "Free times from the waitlist"
        FOLLOW_UPS = "follow-ups", "Visits that were missed, or are yet to be booked"

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="stopped_mails")
    topic = models.CharField(max_length=20, choices=Topic)
    at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "topic"], condition=Q(resumed_at=None), name="one_open_stop")
        ]


class Guardian(models.Model):
    """Who acts for a patient under age."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="guardians")
    name = models.CharField(max_length=200, validators=[clean_line])
    relationship = models.CharField(max_length=60, blank=True, validators=[clean_line])
    phone = PhoneNumberField(blank=True)
    portal_access = models.CharField(max_length=20, blank=True, validators=[clean_line])
    authority_document = models.CharField(max_length=100, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["pk"]


class Intake(models.Model):
    """What the patient told before being examined: history of the headache and neck indicators (`intake.py`)."""

    patient = models.OneToOneField(Patient, models.CASCADE, related_name="intake")
    answers = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="intakes_changed")


class DiaryEntry(models.Model):
    """One line of the headache diary: a day without headache, or a headache from its onset to its end.

    Features are true, false or not answered. The counting is in `headache_days.py`.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="diary_entries")
    local_date = models.DateField(help_text="In the patient's zone; of a headache, the day it began.")
    no_headache = models.BooleanField(default=False)
    onset_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=60)
    peak = models.PositiveSmallIntegerField(null=True)
    side = models.CharField(max_length=10, blank=True)
    unilateral = models.BooleanField(null=True)
    pulsating = models.BooleanField(null=True)
    worse_with_activity = models.BooleanField(null=True)
    nausea = models.BooleanField(null=True)
    vomiting = models.BooleanField(null=True)
    photophobia = models.BooleanField(null=True)
    phonophobia = models.BooleanField(null=True)
    aura_minutes = models.PositiveSmallIntegerField(null=True)
    medications = models.JSONField(default=list, help_text="Class and doses of each acute drug.")
    details = models.JSONField(default=dict, help_text="What else was written down: sleep, posture, triggers, …")
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ["local_date", "onset_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(no_headache=True, onset_at=None, ended_at=None)
                | Q(no_headache=False, onset_at__isnull=False),
                name="diary_day_or_headache",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gt=F("onset_at")), name="headache_ends_after_onset"
            ),
            models.UniqueConstraint(
                fields=["patient", "local_date"], condition=Q(no_headache=True), name="a_free_day_once"
            ),
        ]


class DiaryWindow(models.Model):
    """Days counted by somebody else over a span: from paper or from memory, never mixed with the diary's own counts."""

    class Origin(models.TextChoices):
        PAPER = "paper", "Paper diary"
        RECALL = "recall", "From memory"

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="diary_windows")
    starts_on = models.DateField()
    ends_on = models.DateField()
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PAPER)
    counts = models.JSONField(help_text="Recorded, headache, migraine, medication and neck-start days.")

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="window_ends_after_it_starts")
        ]


class ConsentForm(models.Model):
    """A form as it was signed: by whom, which version, and what was agreed to and what not.

    One signed on the screen holds the document that was shown, with its digest, and never changes but for a withdrawal;
    of one that was brought in only the answers are known.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consent_forms")
    answers = models.JSONField(help_text="Each scope of the form with yes or no.")
    signed_by = models.CharField(
        max_length=200, validators=[clean_line], help_text="`patient`, or the guardian's name."
    )
    relationship = models.CharField(max_length=60, blank=True, validators=[clean_line])
    patient_assent = models.BooleanField(null=True, help_text="Of a patient under age.")
    signed_on = models.DateField()
    document_version = models.CharField(max_length=40, blank=True, validators=[clean_line])
    signed_at = models.DateTimeField(null=True)
    typed_name = models.CharField(max_length=200, blank=True, validators=[clean_line])
    authority_document = models.CharField(max_length=100, blank=True, validators=[clean_line])
    drawing = models.JSONField(default=list, help_text="Strokes of whole numbers (`signatures.py`).")
    shown = models.JSONField(default=dict, help_text="The document that was signed (`documents.py`).")
    digest = models.CharField(max_length=64, blank=True)
    covers_thrust = models.BooleanField(null=True, help_text="Whether care by a quick push was agreed to.")
    risks = models.JSONField(default=list, help_text="Codes of the risks that were acknowledged.")
    questions_answered = models.BooleanField(null=True)
    language = models.CharField(max_length=5, blank=True)
    interpreter = models.CharField(max_length=200, blank=True, validators=[clean_line])
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="consent_forms_taken",
        help_text="Who was there with the patient.",
    )  # fmt: skip
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["signed_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(digest="", signed_at=None)
                | (~Q(digest="") & ~Q(typed_name="") & Q(signed_at__isnull=False)),
                name="consent_form_signed_whole",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
                name="consent_withdrawn_with_a_reason",
            ),
        ]

    @property
    def signer(self) -> str:
        """The name in words; of a form brought in the patient's may stand for it."""
        return self.typed_name or (self.patient.name if self.signed_by == "patient" else self.signed_by)


class ImportedChart(models.Model):
    """Where a chart came from: what its file said besides what has a place of its own here, as it was written."""

    patient = models.OneToOneField(Patient, models.CASCADE, related_name="imported_chart")
    at = models.DateTimeField()
    besides = models.JSONField(default=dict, help_text="JSON path → value.")
