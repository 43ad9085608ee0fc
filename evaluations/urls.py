from django.urls import path

from evaluations import report_views, views, withdrawal_views
from evaluations.intake import intake_ask_views, intake_link_views, intake_views
from evaluations.notes import note_views
from evaluations.safety import incident_views

urlpatterns = [
    path("evaluations/start/", views.start, name="evaluation-start"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/intake/", intake_views.intake, name="evaluation-intake"),
    path("evaluations/<int:pk>/red-flags/", intake_views.screening, name="evaluation-screening"),
    path("evaluations/<int:pk>/emergency/", intake_views.emergency, name="evaluation-emergency"),
    path("evaluations/<int:pk>/sign/", views.sign, name="evaluation-sign"),
    path("evaluations/<int:pk>/stop/", views.stop, name="evaluation-stop"),
    path("evaluations/<int:pk>/defer/", views.defer, name="evaluation-defer"),
    path("evaluations/<int:pk>/addenda/", views.addendum, name="evaluation-addendum"),
    path(
        "evaluations/<int:pk>/entered-in-error/", withdrawal_views.entered_in_error, name="evaluation-entered-in-error"
    ),
    path("evaluations/<int:pk>/print/", report_views.printed, name="evaluation-print"),
    path("evaluations/<int:pk>/report/", report_views.for_patient, name="evaluation-report"),
    path("evaluations/<int:pk>/report/<slug:form>.pdf", report_views.as_pdf, name="evaluation-pdf"),
    path("evaluations/<int:pk>/compare/patient/", report_views.compare_for_patient, name="evaluation-then-and-now"),
    path("evaluations/<int:pk>/compare/", views.compare, name="evaluation-compare"),
    path("visit-notes/start/", note_views.start, name="visit-note-start"),
    path("visit-notes/<int:pk>/", note_views.note, name="visit-note"),
    path("visit-notes/<int:pk>/sign/", note_views.sign, name="visit-note-sign"),
    path("visit-notes/<int:pk>/addenda/", note_views.addendum, name="visit-note-addendum"),
    path("visit-notes/<int:pk>/print/", note_views.printed, name="visit-note-print"),
    path("appointments/<int:pk>/send-intake/", intake_ask_views.send, name="intake-send"),
    path("my/intake/<str:token>/", intake_link_views.start, name="intake-link"),
    path("my/intake/<str:token>/<slug:code>/", intake_link_views.part, name="intake-link-part"),
    path("incidents/", incident_views.listing, name="incidents"),
    path("incidents/<int:pk>/", incident_views.incident, name="incident"),
    path("red-flags/<int:pk>/resolve/", views.resolve, name="red-flag-resolve"),
]
