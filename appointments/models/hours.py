from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from clinic import times
from clinic.text import clean_line
from locations.models import Location, Practitioner, Room, Weekday, ends_after

MOST_WEEKS = 8
STEPS = (5, 10, 12, 15, 20, 30, 40, 45, 60, 90, 120)


class AppointmentType(models.Model):
    """What a visit is for: how long it takes, which room it needs, what time around it stays free.

    A start is bookable from `notice_minutes` after now until the end of the day that is `horizon_days` after today.
    A patient who cancels in the last `late_cancel_hours` cancels late, and cannot move the visit by themselves.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100, validators=[clean_line])
    name_es = models.CharField(max_length=100, blank=True, validators=[clean_line])
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
    late_cancel_hours = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(168)])
    is_bookable_online = models.BooleanField(default=False)
    is_evaluation = models.BooleanField(default=False)
    preparation = models.TextField(blank=True)
    preparation_es = models.TextField(blank=True)

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

    @property
    def name_for_patients(self) -> str:
        return self._in_their_language("name")

    @property
    def preparation_for_patients(self) -> str:
        return self._in_their_language("preparation")

    def _in_their_language(self, field: str) -> str:
        """In the language that is active, where the clinic wrote it in that one; else in English."""
        spanish = getattr(self, f"{field}_es") if (get_language() or "").startswith("es") else ""
        return spanish or getattr(self, field)

    def bookable(self, now, time_zone):
        """The minutes at which a visit may start, by notice and horizon: the first one, and the one after the last."""
        last_day = times.day_of(now, time_zone) + timedelta(days=self.horizon_days)
        return times.to_minute(now) + max(1, self.notice_minutes), times.day_start(last_day + timedelta(1), time_zone)


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
