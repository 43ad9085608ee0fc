from django.urls import path

from locations.views import clinics, people, staff, ways, welcome

urlpatterns = [
    path("locations/choose/", staff.choose, name="location-choose"),
    path("setup/", clinics.start, name="setup"),
    path("setup/clinics/", clinics.listing, name="setup-clinics"),
    path("setup/clinics/new/", clinics.new, name="setup-clinic-new"),
    path("setup/clinics/<slug:slug>/", clinics.clinic, name="setup-clinic"),
    path("setup/clinics/<slug:slug>/details/", clinics.details, name="setup-clinic-details"),
    path("setup/clinics/<slug:slug>/hours/", clinics.hours, name="setup-clinic-hours"),
    path("setup/clinics/<slug:slug>/ways/", clinics.ways_from, name="setup-clinic-ways"),
    path("setup/clinics/<slug:slug>/rooms/", clinics.room_new, name="setup-room-new"),
    path("setup/clinics/<slug:slug>/state/", clinics.state, name="setup-clinic-state"),
    path("setup/clinics/<slug:slug>/delete/", clinics.delete, name="setup-clinic-delete"),
    path("setup/rooms/<int:pk>/", clinics.room, name="setup-room"),
    path("setup/ways/", ways.missing, name="setup-ways"),
    path("setup/people/", people.listing, name="setup-people"),
    path("setup/people/new/", people.invite, name="setup-invite"),
    path("setup/people/<int:pk>/", people.person, name="setup-person"),
    path("setup/people/<int:pk>/roles/", people.give_role, name="setup-role-give"),
    path("setup/roles/<int:pk>/take/", people.take_role, name="setup-role-take"),
    path("setup/people/<int:pk>/state/", people.state, name="setup-person-state"),
    path("setup/people/<int:pk>/invite-again/", people.invite_again, name="setup-invite-again"),
    path("welcome/<str:token>/", welcome.welcome, name="welcome"),
    path("locations/show/", staff.show, name="locations-show"),
]
