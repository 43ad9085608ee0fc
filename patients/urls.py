from django.urls import path

from patients.views import opening, staff

urlpatterns = [
    path("patients/", staff.patients, name="patients"),
    path("patients/new/", staff.new, name="patient-new"),
    path("patients/<int:pk>/", staff.patient, name="patient"),
    path("patients/<int:pk>/edit/", staff.edit, name="patient-edit"),
    path("patients/<int:pk>/open/", opening.open_chart, name="chart-open"),
    path("patients/<int:pk>/consent/", staff.consent, name="patient-consent"),
]
