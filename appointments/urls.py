from django.urls import path

from appointments import links_urls
from appointments.views import booking, calendar, follow_ups, visits

urlpatterns = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/events/", calendar.calendar_events, name="calendar-events"),
    path("appointments/new/", booking.new, name="appointment-new"),
    path("appointments/<int:pk>/", visits.visit, name="appointment"),
    path("appointments/<int:pk>/step/", visits.step, name="appointment-step"),
    path("appointments/<int:pk>/undo/", visits.undo, name="appointment-undo"),
    path("appointments/<int:pk>/move/", visits.move, name="appointment-move"),
    path("follow-ups/", follow_ups.record, name="follow-up"),
    *links_urls.urlpatterns,
]
