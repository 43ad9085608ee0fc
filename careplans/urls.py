from django.urls import path

from careplans import views

urlpatterns = [
    path("care-plans/new/", views.new, name="plan-new"),
    path("care-plans/<int:pk>/", views.plan, name="plan"),
    path("care-plans/<int:pk>/edit/", views.edit, name="plan-edit"),
    path("care-plans/<int:pk>/print/", views.print_page, name="plan-print"),
    path("care-plans/<int:pk>/consent/", views.consent, name="plan-consent"),
    path("care-plans/<int:pk>/step/", views.step, name="plan-step"),
]
