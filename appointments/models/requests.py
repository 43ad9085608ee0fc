from django.db import models
from django.db.models import F, Q
from phonenumber_field.modelfields import PhoneNumberField

from appointments.models.hours import AppointmentType
from appointments.models.visits import Appointment, Hold
from clinic import times
from clinic.text import clean_line
from locations.models import Location, Practitioner


class BookingRequest(models.Model):
    """A visit that somebody asked for on the public page; nobody's until the address of the mail is verified.

    What was typed is kept with it until then, and goes with it when nobody verifies.
    """

    class HeardFrom(models.TextChoices):
        FAMILY_OR_FRIEND = "family_or_friend", "Family or a friend"
        HEALTH_PROFESSIONAL = "health_professional", "A doctor or therapist"
        SEARCH = "search", "A search on the web"
        SOCIAL_MEDIA = "social_media", "Social media"
        ARTICLE = "article", "An article or a talk"
        PASSED_BY = "passed_by", "Passed by the clinic"
        BEEN_HERE = "been_here", "Has been here before"
        OTHER = "other", "Something else"

    form_key = models.CharField(max_length=64, unique=True)  # of the form that was sent: sent twice it is one request
    type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="booking_requests")
    location = models.ForeignKey(Location, models.PROTECT, related_name="booking_requests")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="booking_requests")
    starts_at = models.DateTimeField()
    hold = models.ForeignKey(Hold, models.SET_NULL, null=True, related_name="booking_requests")
    given_name = models.CharField(max_length=200, validators=[clean_line])
    family_name = models.CharField(max_length=200, blank=True, validators=[clean_line])
    birth_date = models.DateField()
    email = models.EmailField()
    phone = PhoneNumberField()
    language = models.CharField(max_length=5)
    booked_by = models.CharField(max_length=200, blank=True, validators=[clean_line])  # who acts for a child
    heard_from = models.CharField(max_length=30, choices=HeardFrom, blank=True)
    wants_mails = models.BooleanField()
    terms = models.CharField(max_length=20)  # which version of what is said about the data was agreed to
    indicators = models.JSONField(default=dict)  # of the self-check, as patients.self_check names them
    network = models.CharField(max_length=64, db_index=True)  # a keyed hash of where it came from
    asked_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    was_known = models.BooleanField(null=True)
    visit = models.OneToOneField(Appointment, models.PROTECT, null=True, related_name="booking_request")

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["email"], name="booking_request_email")]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("asked_at")), name="booking_request_lasts_a_while"),
            models.CheckConstraint(
                condition=Q(visit=None, was_known=None) | Q(visit__isnull=False, was_known__isnull=False),
                name="booking_request_became_a_visit",
            ),
        ]

    def __str__(self):
        return f"{self.type} asked for on {times.spoken(self.starts_at, self.location.time_zone)}"

    @property
    def is_open(self):
        return self.visit_id is None and self.expires_at > times.now()

    @property
    def local_start(self):
        return times.local(self.starts_at, self.location.time_zone)
