from appointments.models.follow_ups import FollowUp
from appointments.models.hours import MOST_WEEKS, AppointmentType, ExtraHours, TimeOff, WeeklyHours
from appointments.models.series import Series, SeriesVisit
from appointments.models.visits import HOLDS_TIME, Appointment, AppointmentEvent, Hold
from appointments.models.waitlist import Offer, OfferRules, WaitlistEntry

__all__ = [
    "HOLDS_TIME",
    "MOST_WEEKS",
    "Appointment",
    "AppointmentEvent",
    "AppointmentType",
    "ExtraHours",
    "FollowUp",
    "Hold",
    "Offer",
    "OfferRules",
    "Series",
    "SeriesVisit",
    "TimeOff",
    "WaitlistEntry",
    "WeeklyHours",
]
