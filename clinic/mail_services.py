"""Reports of the mail service by webhook (`/mail-events/SERVICE/`): read by django-anymail, kept by delivery_reports.

Mails themselves go by SMTP, whichever service takes them: only so is it known whether one was handed over. The address
of a service answers only when MAIL_SERVICE names it, and only to whoever has its secret or signature.
"""

import logging
from functools import lru_cache

from anymail.exceptions import AnymailError
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic import delivery_reports, policy, undeliverable
from clinic.delivery_reports import Report, Said
from clinic.policy import requires

READERS = {
    "amazon_ses": "clinic.mail_services.AmazonSes",
    "brevo": "anymail.webhooks.brevo.BrevoTrackingWebhookView",
    "mailersend": "anymail.webhooks.mailersend.MailerSendTrackingWebhookView",
    "mailgun": "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "mandrill": "anymail.webhooks.mandrill.MandrillCombinedWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    "sendgrid": "anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView",
}
# The words of anymail for what services report, each in its own.
SAID = {
    "delivered": Said.DELIVERED,
    "deferred": Said.DELAYED,
    "bounced": Said.BOUNCED,
    "rejected": Said.BOUNCED,
    "failed": Said.BOUNCED,
    "complained": Said.COMPLAINED,
}
# Why the service gave up, where that is, or may be, the address's own fault.
ABOUT_THE_ADDRESS = {"invalid", "bounced", None}
# Of these anymail gives every bounce the same reason; whether it is for good is in the service's own words.
IS_FOR_GOOD = {
    "amazon_ses": lambda said: said["bounce"]["bounceType"] == "Permanent",
    "brevo": lambda said: said["event"] in {"hard_bounce", "invalid_email"},
    "mailersend": lambda said: said["data"]["type"] == "hard_bounced",
    "mailgun": lambda said: said["event-data"]["severity"] == "permanent",
    "mailjet": lambda said: bool(said["hard_bounce"]),
    "mandrill": lambda said: said["event"] == "hard_bounce",
    "postmark": lambda said: said["Type"] in {"HardBounce", "BadEmailAddress"},
    "sendgrid": lambda said: said["event"] == "bounce" and said.get("type", "bounce") == "bounce",
    "sparkpost": lambda said: str(said["msys"]["message_event"]["bounce_class"]) in {"10", "30", "90"},
}
log = logging.getLogger(__name__)


class AmazonSes(AmazonSESTrackingWebhookView):
    """Without Amazon's own library, which anymail asks for to confirm a subscription: that is done by hand, once."""

    def __init__(self, **options):
        AnymailBaseWebhookView.__init__(self, **options)

    def auto_confirm_sns_subscription(self, sns_message):
        log.warning("Amazon asks for a confirmation; open it in a browser: %s", sns_message.get("SubscribeURL"))


@csrf_exempt
@requires(policy.SERVICE)
@require_http_methods(["POST", "HEAD"])
def mail_events(request, service):
    """Says 200 only when everything is kept: a service that hears anything else tells it again."""
    if service != settings.MAIL_SERVICE or service not in READERS:
        raise Http404
    return _reader(service)(request)


@lru_cache
def _reader(service: str):
    class Reader(import_string(READERS[service])):
        def post(self, request, *args, **kwargs):
            if service == "amazon_ses" and "Authorization" not in request.headers:  # it sends the secret when asked
                return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="mail events"'})
            try:
                self.run_validators(request)  # a wrong secret or signature is a 400
                reports = [_readable(service, event) for event in self.parse_events(request)]
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, AnymailError):  # none of this service
                return HttpResponse(status=400)
            for report in filter(None, reports):
                delivery_reports.record(report, is_trusted=True)
            return HttpResponse()

    return Reader.as_view()


def _readable(service: str, event) -> Report | None:
    """One of a batch that makes no sense must not keep the others from being read: it would come again and again."""
    try:
        return report_of(service, event)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        log.warning("A report of %s makes no sense and is left.", service)
        return None


def report_of(service: str, event) -> Report | None:
    """What an event of anymail says, or None for what is not about delivery: opened, clicked, queued."""
    said = SAID.get(event.event_type)
    if said is None or not event.recipient:
        return None
    reason = event.mta_response or event.description or event.reject_reason or ""
    is_hard = (
        said == Said.BOUNCED
        and event.reject_reason in ABOUT_THE_ADDRESS
        and IS_FOR_GOOD[service](event.esp_event)
        and undeliverable.is_hard(event.mta_response or "550")
    )
    ours = event.esp_event.get("smtp-id") if service == "sendgrid" else event.message_id
    return Report(said, event.recipient, ours or "", str(reason), is_hard)
