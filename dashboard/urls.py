from django.urls import path

from dashboard.views import staff

urlpatterns = [
    path("", staff.today, name="today"),
    path("search/", staff.search, name="search"),
]
