from django.urls import path

from appointments import links_urls, waitlist_urls
from appointments.views import booking, bulk_moves, calendar, closures, follow_ups, practitioners, series, types, visits

urlpatterns = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/events/", calendar.calendar_events, name="calendar-events"),
    path("appointments/new/", booking.new, name="appointment-new"),
    path("appointments/<int:pk>/", visits.visit, name="appointment"),
    path("appointments/<int:pk>/step/", visits.step, name="appointment-step"),
    path("appointments/<int:pk>/undo/", visits.undo, name="appointment-undo"),
    path("appointments/<int:pk>/move/", visits.move, name="appointment-move"),
    path("appointments/<int:pk>/series-move/", series.move, name="appointment-series-move"),
    path("appointments/<int:pk>/series-cancel/", series.cancel, name="appointment-series-cancel"),
    path("moves/", bulk_moves.moves, name="visit-moves"),
    path("series/new/", series.new, name="series-new"),
    path("series/<int:pk>/", series.series, name="series"),
    path("series/<int:pk>/place/", series.place, name="series-place"),
    path("series/<int:pk>/waive/", series.waive, name="series-waive"),
    path("follow-ups/", follow_ups.record, name="follow-up"),
    path("setup/practitioners/", practitioners.listing, name="setup-practitioners"),
    path("setup/practitioners/new/", practitioners.new, name="setup-practitioner-new"),
    path("setup/practitioners/<int:pk>/", practitioners.practitioner, name="setup-practitioner"),
    path("setup/practitioners/<int:pk>/hours/<slug:slug>/", practitioners.hours, name="setup-hours"),
    path("setup/practitioners/<int:pk>/extra/", practitioners.extra, name="setup-extra"),
    path("setup/practitioners/<int:pk>/away/", practitioners.away, name="setup-away"),
    path("setup/hours/<slug:kind>/<int:pk>/take-back/", practitioners.take_back, name="setup-hours-back"),
    path("setup/types/", types.listing, name="setup-types"),
    path("setup/types/new/", types.new, name="setup-type-new"),
    path("setup/types/<slug:slug>/", types.edit, name="setup-type"),
    path("setup/types/<slug:slug>/delete/", types.delete, name="setup-type-delete"),
    path("setup/closures/", closures.closures, name="setup-closures"),
    path("setup/closures/<int:pk>/take-back/", closures.take_back, name="setup-closure-back"),
    *links_urls.urlpatterns,
    *waitlist_urls.urlpatterns,
]
