import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery

from appointments.patterns import Pattern
from clinic import times
from clinic.no_overlap import NoOverlap
from clinic.text import clean_line
from locations import access
from locations.models import Location, Practitioner, Room, Weekday, ends_after
from patients.models import Patient

MOST_WEEKS = 8
STEPS = (5, 10, 12, 15, 20, 30, 40, 45, 60, 90, 120)


class AppointmentType(models.Model):
    """What a visit is for: how long it takes, which room it needs, what time around it stays free.

    A start is bookable from `notice_minutes` after now until the end of the day that is `horizon_days` after today.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100, validators=[clean_line])
    minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(5), MaxValueValidator(480)])
    least_minutes = models.PositiveSmallIntegerField()
    most_minutes = models.PositiveSmallIntegerField()
    room_kind = models.CharField(max_length=20, choices=Room.Kind)
    buffer_before = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(240)])
    buffer_after = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(240)])
    # Starts lie on multiples of the step since midnight by the wall clock, so a step must divide the day evenly.
    step_minutes = models.PositiveSmallIntegerField(default=15, choices=[(n, f"{n} minutes") for n in STEPS])
    notice_minutes = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(60 * 24 * 60)])
    horizon_days = models.PositiveSmallIntegerField(
        default=366, validators=[MinValueValidator(1), MaxValueValidator(731)]
    )
    is_bookable_online = models.BooleanField(default=False)
    is_evaluation = models.BooleanField(default=False)
    preparation = models.TextField(blank=True)

    class Meta:
        ordering = ["-minutes", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(step_minutes__in=STEPS), name="type_step_divides_the_day"),
            models.CheckConstraint(
                condition=Q(least_minutes__lte=F("minutes"), most_minutes__gte=F("minutes")), name="type_usual_in_range"
            ),
        ]

    def __str__(self):
        return self.name


class WeeklyHours(models.Model):
    """When a practitioner works at a location on a weekday, wall-clock in the location's zone.

    `every_weeks` counts from the week (Monday to Sunday) of `valid_from`: 2 is that week and every other one after it.
    Both dates are included, and are about the day on which the hours start.
    """

    practitioner = models.ForeignKey(Practitioner, models.CASCADE, related_name="weekly_hours")
    location = models.ForeignKey(Location, models.CASCADE, related_name="weekly_hours")
    weekday = models.SmallIntegerField(choices=Weekday)
    starts = models.TimeField()
    ends = models.TimeField()
    ends_next_day = models.BooleanField(default=False)
    every_weeks = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_WEEKS)]
    )
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=ends_after("starts", "ends"), name="weekly_hours_end_after_start"),
            models.CheckConstraint(
                condition=Q(every_weeks=1) | Q(every_weeks__range=(2, MOST_WEEKS), valid_from__isnull=False),
                name="weekly_hours_every_few_weeks_have_a_first",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="weekly_hours_valid_in_order",
            ),
        ]


class ExtraHours(models.Model):
    """One stretch of work on one day beside the weekly hours, wall-clock in the location's zone.

    It may lie outside the opening hours: who adds it opens the door. A closure or time off still goes before it.
    """

    practitioner = models.ForeignKey(Practitioner, models.CASCADE, related_name="extra_hours")
    location = models.ForeignKey(Location, models.CASCADE, related_name="extra_hours")
    day = models.DateField()
    starts = models.TimeField()
    ends = models.TimeField()
    ends_next_day = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["day", "starts"]
        indexes = [models.Index(fields=["day"], name="extra_hours_day")]
        constraints = [
            models.CheckConstraint(condition=ends_after("starts", "ends"), name="extra_hours_end_after_start")
        ]


class TimeOff(models.Model):
    """A practitioner is away."""

    practitioner = models.ForeignKey(Practitioner, models.CASCADE, related_name="time_off")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, validators=[clean_line])

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="time_off_ends_after_start")
        ]


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


class VisitManager(models.Manager.from_queryset(AppointmentQuerySet)):
    """Visits only: whoever lists, counts or prints appointments never meets a hold."""

    def get_queryset(self):
        return super().get_queryset().exclude(status=HELD)


class HoldManager(models.Manager.from_queryset(AppointmentQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(status=HELD)


class Appointment(models.Model):
    """A visit: one patient, one practitioner, one room, one stretch of time; written by booking and visit_status.

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
    def is_over(self):
        return self.status in {self.Status.COMPLETED, self.Status.CANCELLED, self.Status.NO_SHOW}


class Hold(Appointment):
    """A time kept free for a while for somebody who is being asked; nobody's visit yet. Written by holds."""

    objects = HoldManager()

    class Meta:
        proxy = True


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
    def undid(self):
        """The id of the step that this one took back, or None."""
        return self.detail.get("undid")


class FollowUpQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "location")


class FollowUp(models.Model):
    """What became of a call about a line of a worklist. Never changed: the next call is the next row."""

    class About(models.TextChoices):
        UNCONFIRMED = "unconfirmed", "Visit not confirmed"
        MISSED = "missed", "Missed visit"
        NO_VISIT = "no_visit", "No visit ahead"
        OWED = "owed", "Visit still to be booked"
        IN_THE_WAY = "in_the_way", "Clinic closed or practitioner away"

    class Result(models.TextChoices):
        NO_ANSWER = "no_answer", "No answer"
        LEFT_MESSAGE = "left_message", "Left a message"
        CALL_AGAIN = "call_again", "Asked to be called again"
        WRONG_NUMBER = "wrong_number", "Wrong number"
        SETTLED = "settled", "Spoke with them, settled"
        DECLINED = "declined", "Does not want it"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="follow_ups")
    location = models.ForeignKey(Location, models.PROTECT, related_name="follow_ups")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="follow_ups")
    about = models.CharField(max_length=12, choices=About)
    result = models.CharField(max_length=12, choices=Result)
    again_on = models.DateField(null=True, blank=True, help_text="Empty when it is done with.")
    note = models.CharField(max_length=300, blank=True, validators=[clean_line])
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="follow_ups")
    at = models.DateTimeField()

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["appointment", "about", "-at"], name="follow_up_appointment"),
            models.Index(fields=["patient", "about", "-at"], name="follow_up_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(result__in=["settled", "declined"], again_on=None)
                | Q(result__in=["no_answer", "left_message", "call_again", "wrong_number"], again_on__isnull=False),
                name="follow_up_done_or_again",
            )
        ]

    @property
    def is_done(self):
        return self.again_on is None


class SeriesQuerySet(models.QuerySet):
    def visible_to(self, user, action="appointment.read"):
        return access.scope(self, user, action, "location")

    def with_names(self):
        return self.select_related("patient", "type", "checkpoint_type", "practitioner__user", "location")


class Series(models.Model):
    """Visits of one patient that belong together, as they were wanted. Debts are listed while it is open."""

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
        return self.owed().filter(~Q(skipped_reason="") | fell_off | Q(wanted_on__lt=times.now().date()))

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
        return f"Visit {self.number} of {self.series}"
