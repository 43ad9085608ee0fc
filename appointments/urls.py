from django.urls import path

from appointments import links_urls
from appointments.views import follow_ups, staff

urlpatterns = [
    path("calendar/", staff.calendar, name="calendar"),
    path("calendar/events/", staff.calendar_events, name="calendar-events"),
    path("appointments/new/", staff.new, name="appointment-new"),
    path("appointments/<int:pk>/", staff.visit, name="appointment"),
    path("appointments/<int:pk>/step/", staff.step, name="appointment-step"),
    path("appointments/<int:pk>/move/", staff.move, name="appointment-move"),
    path("follow-ups/", follow_ups.record, name="follow-up"),
    *links_urls.urlpatterns,
]
