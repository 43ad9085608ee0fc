from django.urls import path

from appointments import links_urls
from appointments.views import booking, calendar, closures, follow_ups, visits

urlpatterns = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/events/", calendar.calendar_events, name="calendar-events"),
    path("appointments/new/", booking.new, name="appointment-new"),
    path("appointments/<int:pk>/", visits.visit, name="appointment"),
    path("appointments/<int:pk>/step/", visits.step, name="appointment-step"),
    path("appointments/<int:pk>/undo/", visits.undo, name="appointment-undo"),
    path("appointments/<int:pk>/move/", visits.move, name="appointment-move"),
    path("follow-ups/", follow_ups.record, name="follow-up"),
    path("setup/closures/", closures.closures, name="setup-closures"),
    path("setup/closures/<int:pk>/take-back/", closures.take_back, name="setup-closure-back"),
    *links_urls.urlpatterns,
]
