from django.urls import path

from evaluations import intake_views, views

urlpatterns = [
    path("evaluations/start/", views.start, name="evaluation-start"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/intake/", intake_views.intake, name="evaluation-intake"),
    path("evaluations/<int:pk>/red-flags/", intake_views.screening, name="evaluation-screening"),
    path("evaluations/<int:pk>/emergency/", intake_views.emergency, name="evaluation-emergency"),
    path("evaluations/<int:pk>/sign/", views.sign, name="evaluation-sign"),
    path("evaluations/<int:pk>/stop/", views.stop, name="evaluation-stop"),
    path("evaluations/<int:pk>/addenda/", views.addendum, name="evaluation-addendum"),
    path("evaluations/<int:pk>/print/", views.printed, name="evaluation-print"),
    path("evaluations/<int:pk>/compare/", views.compare, name="evaluation-compare"),
    path("red-flags/<int:pk>/resolve/", views.resolve, name="red-flag-resolve"),
]
