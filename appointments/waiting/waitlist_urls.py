from django.urls import path

from appointments.views import waitlist

urlpatterns = [
    path("waitlist/", waitlist.listing, name="waitlist"),
    path("waitlist/new/", waitlist.new, name="waitlist-new"),
    path("waitlist/<int:pk>/", waitlist.entry, name="waitlist-entry"),
    path("waitlist/<int:pk>/edit/", waitlist.edit, name="waitlist-edit"),
    path("waitlist/<int:pk>/offer/", waitlist.offer, name="waitlist-offer"),
    path("waitlist/<int:pk>/take-off/", waitlist.take_off, name="waitlist-take-off"),
    path("offers/<int:pk>/answer/", waitlist.answer, name="offer-answer"),
]
