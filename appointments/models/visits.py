import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from appointments.models.hours import AppointmentType
from clinic import times
from clinic.no_overlap import NoOverlap
from locations import access
from locations.models import Location, Practitioner, Room
from patients.models import Patient

HELD = "held"


class AppointmentQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "location")

    def at(self, location):
        return self.filter(location=location)

    def on(self, day, time_zone):
        """Visits that start on the local day of that zone."""
        first, last = times.day_bounds(day, time_zone)
        return self.filter(starts_at__gte=first, starts_at__lt=last)

    def holding_time(self):
        return self.filter(HOLDS_TIME)

    def taking_time(self, at):
        """What nobody else may be booked into at the instant `at`: visits that stand, and holds not run out by then."""
        return self.holding_time().filter(~Q(status=HELD) | Q(held_until__gt=at))

    def with_names(self):
        return self.select_related("patient", "practitioner__user", "location", "room", "type")

    def with_series(self):
        return self.select_related("series_visit__series__location", "series_visit__type")


class VisitManager(models.Manager.from_queryset(AppointmentQuerySet)):
    """Visits only: whoever lists, counts or prints appointments never meets a hold."""

    def get_queryset(self):
        return super().get_queryset().exclude(status=HELD)


class HoldManager(models.Manager.from_queryset(AppointmentQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(status=HELD)


class Appointment(models.Model):
    """A visit: one patient, one practitioner, one room, one stretch of time.

    Written by booking, together and visit_status.
    A row may also be a `Hold`; `objects` leaves those out, `with_holds` has both.
    """

    class Status(models.TextChoices):
        HELD = HELD, "Held"
        BOOKED = "booked", "Booked"
        CONFIRMED = "confirmed", "Confirmed"
        ARRIVED = "arrived", "Arrived"
        IN_ROOM = "in_room", "In a room"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        NO_SHOW = "no_show", "Did not come"

    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="appointments")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="appointments")
    location = models.ForeignKey(Location, models.PROTECT, related_name="appointments")
    room = models.ForeignKey(Room, models.PROTECT, related_name="appointments")
    type = models.ForeignKey(AppointmentType, models.PROTECT, related_name="appointments")
    status = models.CharField(max_length=12, choices=Status, default=Status.BOOKED)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    # The same span as epoch minutes, and the span with buffers: what NoOverlap and availability compare.
    start_minute = models.IntegerField()
    end_minute = models.IntegerField()
    busy_from = models.IntegerField()
    busy_until = models.IntegerField()
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveIntegerField(default=0)  # of the patient's calendar entry; rises with each change
    booked_at = models.DateTimeField(auto_now_add=True)
    series_visit = models.ForeignKey(
        "SeriesVisit", models.SET_NULL, null=True, blank=True, db_index=False, related_name="appointments"
    )
    held_until = models.DateTimeField(null=True)

    objects = VisitManager()
    with_holds = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["practitioner", "busy_from"], name="appointment_practitioner_busy"),
            models.Index(fields=["room", "busy_from"], name="appointment_room_busy"),
            models.Index(fields=["patient", "start_minute"], name="appointment_patient_start"),
            models.Index(fields=["location", "starts_at"], name="appointment_location_start"),
            models.Index(
                fields=["series_visit"], name="appointment_series_visit", condition=Q(series_visit__isnull=False)
            ),
            models.Index(fields=["held_until"], condition=Q(status=HELD), name="appointment_held_until"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_minute__gt=F("start_minute"), end_minute__lte=F("start_minute") + 720),
                name="appointment_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(busy_from__lte=F("start_minute"), busy_until__gte=F("end_minute"))
                & Q(busy_until__lte=F("busy_from") + 1440),
                name="appointment_buffers_surround_it",
            ),
            models.UniqueConstraint(
                fields=["series_visit"],
                condition=~Q(status__in=["cancelled", "no_show"]),
                name="a_series_visit_placed_once",
            ),
            models.CheckConstraint(
                condition=Q(status=HELD, patient=None, held_until__isnull=False)
                | (~Q(status=HELD) & Q(patient__isnull=False, held_until=None)),
                name="appointment_held_is_nobodys",
            ),
            *(
                NoOverlap(
                    name=f"no_overlap_{resource}",
                    resource=resource,
                    start=start,
                    end=end,
                    condition=~Q(status__in=["cancelled", "no_show"]),
                )
                for resource, start, end in (
                    ("practitioner", "busy_from", "busy_until"),
                    ("room", "busy_from", "busy_until"),
                    ("patient", "start_minute", "end_minute"),
                )
            ),
        ]

    def __str__(self):
        return f"{self.type} of {self.patient}"

    @property
    def local_start(self):
        return times.local(self.starts_at, self.location.time_zone)

    @property
    def local_end(self):
        return times.local(self.ends_at, self.location.time_zone)

    @property
    def lasts(self):
        """Minutes, without buffers."""
        return self.end_minute - self.start_minute

    @property
    def is_over(self):
        return self.status in {self.Status.COMPLETED, self.Status.CANCELLED, self.Status.NO_SHOW}


class Hold(Appointment):
    """A time kept free for a while for somebody who is being asked; nobody's visit yet. Written by holds."""

    objects = HoldManager()

    class Meta:
        proxy = True

    @property
    def for_whom(self):
        """In the words of the desk, and without a name."""
        if self.booking_requests.exists():
            return "an online booking"
        return "somebody on the waitlist" if self.offers.exists() else "somebody"


HOLDS_TIME = ~Q(status__in=[Appointment.Status.CANCELLED, Appointment.Status.NO_SHOW])


class AppointmentEvent(models.Model):
    """One step of an appointment's history: what, who, when, from what to what, and why. Never changed."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="history")
    step = models.CharField(max_length=20)
    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="appointment_events")
    by_whom = models.CharField(max_length=200)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    from_start = models.DateTimeField(null=True)
    to_start = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "pk"]

    @property
    def left(self) -> int | None:
        """The id of the location where the visit was before it moved, or None."""
        return self.detail.get("was", {}).get("location")

    @property
    def undid(self):
        """The id of the step that this one took back, or None."""
        return self.detail.get("undid")

    @property
    def overridden(self) -> list[str]:
        """The codes of what stood against it and was overridden for a reason."""
        return self.detail.get("overridden", [])

    @property
    def override_reason(self) -> str:
        """Why it was overridden; the reason of the step where no other was given."""
        return self.detail.get("override_reason", self.reason) if self.overridden else ""
