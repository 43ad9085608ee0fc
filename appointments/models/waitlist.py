from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from appointments.models.hours import AppointmentType
from appointments.models.visits import Appointment, Hold
from appointments.wishes import Wishes
from clinic import times
from clinic.text import clean_line
from locations import access
from locations.models import Location, Practitioner
from patients.models import Patient


class WaitlistQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        """Those of patients known at a location where the user may do the action."""
        return self.filter(patient__in=Patient.objects.visible_to(user, action))

    def waiting(self):
        return self.filter(outcome="")

    def ranked(self):
        """In the order in which a free time is offered: the urgent first, then who waits longest."""
        return self.order_by("-urgency", "added_at", "pk")

    def wanting(self, locations):
        """Those who would come to one of the locations: they named it, or named none and are known there."""
        named = WaitlistEntry.locations.through.objects.filter(location__in=locations).values("waitlistentry")
        known = Patient.locations.through.objects.filter(location__in=locations).values("patient")
        return self.filter(Q(pk__in=named) | Q(locations=None, patient__in=known))

    def with_wishes(self):
        return self.select_related("patient__home_location", "type", "sooner_than__location").prefetch_related(
            "locations", "practitioners__user", "patient__locations", "offers__location", "offers__practitioner__user"
        )


class WaitlistEntry(models.Model):
    """A patient waits for a visit: of which type, where, with whom and when they could come. Empty means any.

    With `sooner_than` they have a visit already and want an earlier day for it.
    """

    class Urgency(models.IntegerChoices):
        ROUTINE = 0, "When it fits"
        SOON = 1, "Soon"
        URGENT = 2, "Urgent"

    class Outcome(models.TextChoices):
        BOOKED = "booked", "Booked"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waitlist_entries")
    type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="waitlist_entries")
    locations = models.ManyToManyField(Location, blank=True, related_name="waitlist_entries")
    practitioners = models.ManyToManyField(Practitioner, blank=True, related_name="waitlist_entries")
    wishes = models.JSONField()  # as wishes.Wishes writes it
    from_day = models.DateField()
    until_day = models.DateField(null=True, blank=True)
    sooner_than = models.ForeignKey(
        Appointment, models.PROTECT, null=True, blank=True, related_name="sooner_wanted_entries"
    )
    urgency = models.PositiveSmallIntegerField(choices=Urgency, default=Urgency.ROUTINE)
    note = models.CharField(max_length=300, blank=True, validators=[clean_line])
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="waitlist_added"
    )
    by_whom = models.CharField(max_length=200)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.CharField(max_length=300, blank=True)
    visit = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="fulfilled_entries")

    objects = WaitlistQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at", "-pk"]
        verbose_name_plural = "waitlist entries"
        indexes = [
            models.Index(fields=["-urgency", "added_at"], condition=Q(outcome=""), name="waitlist_waiting"),
            models.Index(fields=["patient"], name="waitlist_patient"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "type"], condition=Q(outcome="", sooner_than=None), name="waitlist_once_for_a_type"
            ),
            models.UniqueConstraint(
                fields=["sooner_than"], condition=Q(outcome=""), name="waitlist_once_sooner_than_a_visit"
            ),
            models.CheckConstraint(
                condition=Q(until_day=None) | Q(until_day__gte=F("from_day")), name="waitlist_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", closed_at=None, visit=None)
                | Q(outcome="booked", closed_at__isnull=False, visit__isnull=False)
                | Q(outcome__in=["withdrawn", "ended"], closed_at__isnull=False, visit=None),
                name="waitlist_closed_with_an_outcome",
            ),
        ]

    def __str__(self):
        return f"{self.patient} waits for {self.type}"

    @property
    def as_wishes(self):
        return Wishes.from_json(self.wishes)

    @property
    def is_waiting(self):
        return not self.outcome

    @property
    def places(self):
        """Where they would come, of the clinics that are open; reads what `with_wishes` fetched."""
        return [place for place in self.locations.all() or self.patient.locations.all() if place.is_open]

    @property
    def open_offer(self):
        return next((offer for offer in self.offers.all() if not offer.answer), None)


class OfferQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        """At locations where the user may do the action, to patients known there."""
        return access.scope(self, user, action, "location").filter(
            entry__patient__in=Patient.objects.visible_to(user, action)
        )

    def standing(self):
        """Unanswered, in time, and held."""
        return self.filter(answer="", expires_at__gt=times.now(), hold__isnull=False)

    def with_names(self):
        return self.select_related("entry__patient", "entry__type", "location", "practitioner__user")


class Offer(models.Model):
    """A free time, held for a while for one on the waitlist. Several may share a hold: the first to accept has it."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "No answer in time"
        TAKEN = "taken", "Somebody else was first"
        WITHDRAWN = "withdrawn", "Taken back"

    entry = models.ForeignKey(WaitlistEntry, models.CASCADE, related_name="offers")
    hold = models.ForeignKey(Hold, models.SET_NULL, null=True, related_name="offers")
    location = models.ForeignKey(Location, models.PROTECT, related_name="offers")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="offers")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)  # why this patient, as it was then
    offered_at = models.DateTimeField(db_index=True)
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="offers_made")
    by_whom = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True, db_index=True)
    answered_by = models.CharField(max_length=200, blank=True)
    visit = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="accepted_offers")

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ["-offered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["entry"], condition=Q(answer=""), name="one_open_offer_an_entry"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("offered_at")), name="offer_lasts_a_while"),
            models.CheckConstraint(condition=Q(expires_at__lte=F("starts_at")), name="offer_ends_before_the_visit"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="offer_answered_at_an_instant",
            ),
            models.CheckConstraint(
                condition=Q(answer="accepted", visit__isnull=False) | (~Q(answer="accepted") & Q(visit=None)),
                name="offer_accepted_is_a_visit",
            ),
        ]

    def __str__(self):
        return f"{times.spoken(self.starts_at, self.location.time_zone)} for {self.entry.patient}"

    def is_open(self, at):
        return not self.answer and self.expires_at > at

    @property
    def local_start(self):
        return times.local(self.starts_at, self.location.time_zone)

    @property
    def local_expiry(self):
        return times.local(self.expires_at, self.location.time_zone)

    @property
    def local_day(self):
        return self.local_start.date()


class OfferRules(models.Model):
    """How a location offers its free times to the waitlist."""

    location = models.OneToOneField(Location, models.CASCADE, related_name="offer_rules")
    is_automatic = models.BooleanField(default=True)
    at_once = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(5)])
    minutes = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(15), MaxValueValidator(720)])
