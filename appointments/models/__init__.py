from appointments.models.follow_ups import FollowUp
from appointments.models.hours import MOST_WEEKS, AppointmentType, ExtraHours, TimeOff, WeeklyHours
from appointments.models.reminders import MOST_HOURS, ReminderSchedule, ReminderStep
from appointments.models.requests import BookingRequest
from appointments.models.series import Series, SeriesVisit
from appointments.models.visits import HOLDS_TIME, Appointment, AppointmentEvent, Hold
from appointments.models.waitlist import Offer, OfferRules, WaitlistEntry

__all__ = [
    "HOLDS_TIME",
    "MOST_HOURS",
    "MOST_WEEKS",
    "Appointment",
    "AppointmentEvent",
    "AppointmentType",
    "BookingRequest",
    "ExtraHours",
    "FollowUp",
    "Hold",
    "Offer",
    "OfferRules",
    "ReminderSchedule",
    "ReminderStep",
    "Series",
    "SeriesVisit",
    "TimeOff",
    "WaitlistEntry",
    "WeeklyHours",
]
