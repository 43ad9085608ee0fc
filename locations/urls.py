from django.urls import path

from locations.views import staff

urlpatterns = [
    path("locations/choose/", staff.choose, name="location-choose"),
]
