from django.conf import settings
from django.db import models
from django.db.models import Q
from phonenumber_field.modelfields import PhoneNumberField

from clinic.text import clean_line, clean_note
from locations import access
from locations.models import Location


class PatientQuerySet(models.QuerySet):
    def visible_to(self, user, action="patient.read"):
        """Patients known at a location where the user may do the action."""
        ids = access.location_ids(user, action)
        if ids is None:
            return self
        known = Patient.locations.through.objects.filter(location__in=ids).values("patient")
        return self.filter(pk__in=known)


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
    home_location = models.ForeignKey(Location, models.PROTECT, related_name="home_patients")
    locations = models.ManyToManyField(Location, related_name="patients")
    note = models.TextField(blank=True, validators=[clean_note], help_text="For the desk; no clinical text.")
    chart = models.JSONField(default=dict, help_text="Intake as it was given: history and neck indicators.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "pk"]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def patient_id(self):
        return self.pk


class SearchTerm(models.Model):
    """One folded word by which a patient is found: a name, a birth date, the end of a phone number."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="search_terms")
    term = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "term"], name="a_search_term_once")]


class Consent(models.Model):
    """What a patient agreed to, and until when; a withdrawal closes the row, a new consent is a new row."""

    class Scope(models.TextChoices):
        EMAIL_REMINDERS = "email_reminders", "E-mail about visits"
        EXAMINATION = "examination", "Examination"
        CHIROPRACTIC_CARE = "chiropractic_care", "Chiropractic care"

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
