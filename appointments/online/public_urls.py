from django.urls import path

from appointments.views import public, public_links

urlpatterns = [
    path("book/", public.choose, name="book"),
    path("book/time/", public.details, name="book-time"),
    path("book/sent/", public.sent, name="book-sent"),
    path("book/check/", public.check, name="book-check"),
    path("book/confirm/<str:token>/", public_links.confirm, name="book-confirm"),
]
