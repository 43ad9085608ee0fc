from django.urls import path

from appointments.views import links, offer_links

urlpatterns = [
    path("my/visits/<str:token>/", links.visit, name="visit-link"),
    path("my/visits/<str:token>/visit.ics", links.visit_calendar, name="visit-link-calendar"),
    path("my/offers/<str:token>/", offer_links.offer, name="offer-link"),
    path("my/unsubscribe/<str:token>/", links.mails_stop, name="visit-mails-stop"),
]
