from datetime import time
from urllib.parse import urlencode
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from clinic import times
from clinic.text import clean_line
from locations import access


def known_zone(name):
    if name not in times.ZONES or name not in available_timezones():
        raise ValidationError("Unknown time zone.", code="unknown_zone")


class LocationQuerySet(models.QuerySet):
    def visible_to(self, user, action="location.read"):
        """Locations where the user may do the action; all of them for a role held for the group."""
        return access.scope(self, user, action, "pk")


class Location(models.Model):
    """A clinic: an address, a time zone, rooms and hours."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200, validators=[clean_line])
    street = models.CharField(max_length=200, blank=True, validators=[clean_line])
    city = models.CharField(max_length=100, validators=[clean_line])
    state = models.CharField(max_length=2)
    postal_code = models.CharField(max_length=10, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    parking = models.CharField(max_length=300, blank=True)
    map_url = models.URLField(blank=True, help_text="Where the map of the address leads elsewhere than to the door.")
    sender_name = models.CharField(max_length=60, blank=True, validators=[clean_line])
    time_zone = models.CharField(max_length=60, validators=[known_zone])
    is_open = models.BooleanField(default=True)

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def address(self) -> str:
        return ", ".join(p for p in (self.street, self.city, f"{self.state} {self.postal_code}".strip()) if p)

    @property
    def map_link(self) -> str:
        """Opens the map of a phone, or that of the browser."""
        return self.map_url or "https://www.google.com/maps/search/?" + urlencode({"api": 1, "query": self.address})

    @property
    def dial(self) -> str:
        """The phone number as a link takes it."""
        return "".join(sign for sign in self.phone if sign.isdigit() or sign == "+")

    def today(self):
        return times.today(self.time_zone)


class Room(models.Model):
    """A room of a location, of the kind that visits need."""

    class Kind(models.TextChoices):
        EVALUATION = "evaluation", "Evaluation room"
        ADJUSTING = "adjusting", "Adjusting room"

    location = models.ForeignKey(Location, models.PROTECT, related_name="rooms")
    name = models.CharField(max_length=60, validators=[clean_line])
    kind = models.CharField(max_length=20, choices=Kind)
    is_open = models.BooleanField(default=True)

    class Meta:
        ordering = ["location", "name"]
        constraints = [models.UniqueConstraint(fields=["location", "name"], name="room_name_once_a_location")]

    def __str__(self):
        return self.name


class Weekday(models.IntegerChoices):
    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


def ends_after(starts: str, ends: str) -> Q:
    """Wall-clock hours end after they start: later on the same day, or, only if the row says so, on the next."""
    return Q((f"{ends}__gt", F(starts)), ends_next_day=False) | Q((f"{ends}__lte", F(starts)), ends_next_day=True)


class OpeningHours(models.Model):
    """When a location is open on a weekday, wall-clock in its zone."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="opening_hours")
    weekday = models.SmallIntegerField(choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField()
    ends_next_day = models.BooleanField(default=False)

    class Meta:
        ordering = ["location", "weekday", "opens"]
        constraints = [
            models.CheckConstraint(condition=ends_after("opens", "closes"), name="opening_ends_after_it_starts")
        ]


class Closure(models.Model):
    """Days on which a location, or the whole group when none is named, is closed; both days included."""

    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="closures")
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=200, validators=[clean_line])

    class Meta:
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="closure_ends_after_it_starts")
        ]


class MailHours(models.Model):
    """When mails that can wait are not sent, wall-clock: at one location, or at every one without a row of its own."""

    location = models.OneToOneField(Location, models.CASCADE, null=True, blank=True, related_name="mail_hours")
    quiet_from = models.TimeField(default=time(20))
    quiet_until = models.TimeField(default=time(8))
    on_open_days_only = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(Coalesce("location", 0), name="mail_hours_once_for_the_group")]


class MailRule(models.Model):
    """Whether a kind of mail is sent, and its number: at one location, or at every one without a row of its own."""

    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="mail_rules")
    kind = models.SlugField(max_length=60)
    is_on = models.BooleanField()
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["kind"]
        constraints = [models.UniqueConstraint("kind", Coalesce("location", 0), name="one_mail_rule_each")]


class TravelTime(models.Model):
    """Minutes a practitioner needs from one location to another; stored once, good both ways."""

    origin = models.ForeignKey(Location, models.CASCADE, related_name="travel_from")
    destination = models.ForeignKey(Location, models.CASCADE, related_name="travel_to")
    minutes = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "destination"], name="one_travel_time"),
            models.CheckConstraint(condition=Q(origin__lt=F("destination")), name="travel_time_stored_once"),
        ]


class StaffAssignment(models.Model):
    """A role held at a location, or for the whole group when no location is named."""

    class Role(models.TextChoices):
        OWNER = access.OWNER, "Owner"
        MANAGER = access.MANAGER, "Location manager"
        CLINICIAN = access.CLINICIAN, "Clinician"
        DESK = access.DESK, "Front desk"
        AUDITOR = access.AUDITOR, "Auditor"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="assignments")
    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="assignments")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "location", "role"], name="a_role_held_once"),
            models.UniqueConstraint(fields=["user", "role"], condition=Q(location=None), name="a_group_role_held_once"),
        ]


class Invitation(models.Model):
    """Somebody was asked to work here, and by whom; accepted when they choose their first password."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="invitations")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="invitations_sent")
    at = models.DateTimeField(db_index=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]


class PractitionerQuerySet(models.QuerySet):
    def visible_to(self, user):
        return access.scope(self, user, "user.read", "user__assignments__location").distinct()


class Practitioner(models.Model):
    """A chiropractor whose time is booked."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="practitioner")
    credentials = models.CharField(max_length=40, default="DC")
    is_active = models.BooleanField(default=True)
    is_bookable_online = models.BooleanField(default=False, help_text="By anybody, on the public page.")

    objects = PractitionerQuerySet.as_manager()

    class Meta:
        ordering = ["user__full_name"]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return f"{self.user.full_name}, {self.credentials}"
