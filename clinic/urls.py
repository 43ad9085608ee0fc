"""Every address, gathered from the packages by name: `<app>/urls.py` for pages, `<app>/api.py` for endpoints."""

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from clinic import mail_services, views

router = SimpleRouter()
for layer in settings.LAYERS:
    if find_spec(f"{layer}.api"):
        for prefix, endpoint, basename in import_module(f"{layer}.api").ENDPOINTS:
            router.register(prefix, endpoint, basename=basename)

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("mail-events/<slug:service>/", mail_services.mail_events, name="mail-events"),
    path("accounts/", include("allauth.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", views.api_docs, name="api-docs"),
    path("api/v1/", include(router.urls)),
    *(path("", include(f"{layer}.urls")) for layer in settings.LAYERS[1:] if find_spec(f"{layer}.urls")),
]
handler400, handler403, handler404, handler500 = (f"clinic.views.page_{n}" for n in (400, 403, 404, 500))
handler429 = "clinic.views.page_429"  # where allauth's throttle looks for it
