from django.urls import path

from appointments.views import links

urlpatterns = [
    path("my/visits/<str:token>/", links.visit, name="visit-link"),
    path("my/visits/<str:token>/visit.ics", links.visit_calendar, name="visit-link-calendar"),
    path("my/unsubscribe/<str:token>/", links.mails_stop, name="visit-mails-stop"),
]
