from django.urls import path

from appointments.views import feeds, links, move_links, offer_links

urlpatterns = [
    path("my/visits/<str:token>/", links.visit, name="visit-link"),
    path("my/visits/<str:token>/visit.ics", links.visit_calendar, name="visit-link-calendar"),
    path("my/visits/<str:token>/move/", move_links.move, name="visit-link-move"),
    path("my/visits/<str:token>/subscribe/", feeds.of_link, name="visit-link-feed"),
    path("my/calendar/<str:token>.ics", feeds.feed, name="calendar-feed"),
    path("calendar/patient-feed/", feeds.of_patient, name="patient-feed"),
    path("setup/practitioners/<int:pk>/calendar/", feeds.of_practitioner, name="practitioner-feed"),
    path("my/offers/<str:token>/", offer_links.offer, name="offer-link"),
    path("my/unsubscribe/<str:token>/", links.mails_stop, name="visit-mails-stop"),
]
