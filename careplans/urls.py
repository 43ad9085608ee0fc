from django.urls import path

from careplans import consent_views, discharge_views, portal_views, reevaluation_views, template_views, views

urlpatterns = [
    path("setup/plan-templates/", template_views.listing, name="setup-plan-templates"),
    path("setup/plan-templates/new/", template_views.new, name="setup-plan-template-new"),
    path("setup/plan-templates/<int:pk>/", template_views.edit, name="setup-plan-template"),
    path("setup/plan-templates/<int:pk>/state/", template_views.state, name="setup-plan-template-state"),
    path(
        "setup/plan-templates/<int:pk>/versions/<int:number>/",
        template_views.version,
        name="setup-plan-template-version",
    ),
    path("my/plan/<str:token>/", portal_views.plan, name="plan-link"),
    path("care-plans/<int:pk>/send-link/", portal_views.send_link, name="plan-send-link"),
    path("care-plans/<int:pk>/ask-to-book/", portal_views.ask_to_book, name="plan-ask-to-book"),
    path("care-plans/new/", views.new, name="plan-new"),
    path("care-plans/<int:pk>/", views.plan, name="plan"),
    path("care-plans/<int:pk>/edit/", views.edit, name="plan-edit"),
    path("care-plans/<int:pk>/print/", views.print_page, name="plan-print"),
    path("care-plans/<int:pk>/consent/", consent_views.sign, name="plan-consent"),
    path("care-plans/<int:pk>/consent/withdraw/", consent_views.withdraw, name="plan-consent-withdraw"),
    path("care-plans/<int:pk>/agreement/", consent_views.agreement, name="plan-agreement"),
    path("care-plans/<int:pk>/agreement.pdf", consent_views.agreement_pdf, name="plan-agreement-pdf"),
    path("care-plans/<int:pk>/versions/<int:number>/", consent_views.version, name="plan-version"),
    path("care-plans/<int:pk>/re-evaluation/", reevaluation_views.reevaluation, name="plan-reevaluation"),
    path("care-plans/<int:pk>/discharge/", discharge_views.discharge, name="plan-discharge"),
    path("care-plans/<int:pk>/discharge/summary/", discharge_views.summary, name="plan-discharge-summary"),
    path("care-plans/<int:pk>/discharge/summary.pdf", discharge_views.summary_pdf, name="plan-discharge-pdf"),
    path("care-plans/<int:pk>/step/", views.step, name="plan-step"),
]
