from django.urls import path

from locations.views import staff, welcome

urlpatterns = [
    path("locations/choose/", staff.choose, name="location-choose"),
    path("welcome/<str:token>/", welcome.welcome, name="welcome"),
    path("locations/show/", staff.show, name="locations-show"),
]
