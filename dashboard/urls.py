from django.urls import path

from dashboard.views import messages, staff, worklists

urlpatterns = [
    path("", staff.today, name="today"),
    path("search/", staff.search, name="search"),
    path("worklists/", worklists.listing, name="worklists"),
    path("messages/", messages.listing, name="messages"),
    path("messages/<int:pk>/try-again/", messages.try_again, name="message-try-again"),
]
