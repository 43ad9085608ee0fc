from django.urls import path

from dashboard.views import messages, staff, watching, worklists

urlpatterns = [
    path("", staff.today, name="today"),
    path("search/", staff.search, name="search"),
    path("worklists/", worklists.listing, name="worklists"),
    path("worklists/pace/", worklists.off_pace, name="pace"),
    path("worklists/checkpoints/", worklists.checkpoints_due, name="checkpoints"),
    path("worklists/unsigned/", worklists.not_signed, name="unsigned"),
    path("audit/", watching.audit, name="audit"),
    path("opened-charts/", watching.openings, name="chart-openings"),
    path("opened-charts/<int:pk>/review/", watching.review, name="chart-opening-review"),
    path("messages/", messages.listing, name="messages"),
    path("messages/tomorrow/", messages.tomorrow, name="messages-tomorrow"),
    path("messages/patient/", messages.of_patient, name="patient-messages"),
    path("messages/patient/<int:pk>/resume/", messages.resume, name="mails-resume"),
    path("messages/addresses/", messages.addresses, name="message-addresses"),
    path("messages/addresses/<int:pk>/mend/", messages.mend_address, name="address-mend"),
    path("messages/<int:pk>/", messages.message, name="message"),
    path("messages/<int:pk>/try-again/", messages.try_again, name="message-try-again"),
]
