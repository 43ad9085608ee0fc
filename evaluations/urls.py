from django.urls import path

from evaluations import intake_views, report_views, views

urlpatterns = [
    path("evaluations/start/", views.start, name="evaluation-start"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/intake/", intake_views.intake, name="evaluation-intake"),
    path("evaluations/<int:pk>/red-flags/", intake_views.screening, name="evaluation-screening"),
    path("evaluations/<int:pk>/emergency/", intake_views.emergency, name="evaluation-emergency"),
    path("evaluations/<int:pk>/sign/", views.sign, name="evaluation-sign"),
    path("evaluations/<int:pk>/stop/", views.stop, name="evaluation-stop"),
    path("evaluations/<int:pk>/addenda/", views.addendum, name="evaluation-addendum"),
    path("evaluations/<int:pk>/print/", report_views.printed, name="evaluation-print"),
    path("evaluations/<int:pk>/report/", report_views.for_patient, name="evaluation-report"),
    path("evaluations/<int:pk>/report/<slug:form>.pdf", report_views.as_pdf, name="evaluation-pdf"),
    path("evaluations/<int:pk>/compare/patient/", report_views.compare_for_patient, name="evaluation-then-and-now"),
    path("evaluations/<int:pk>/compare/", views.compare, name="evaluation-compare"),
    path("red-flags/<int:pk>/resolve/", views.resolve, name="red-flag-resolve"),
]
