"""What each mail service sends, in its own form, with its own signature: samples written from their documentation."""

import base64
import hashlib
import hmac
import json
import warnings
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clinic import mail_services, times
from clinic.models import AddressFault, Message

ID, TO, KEY = "<3c1d@clinic.example.org>", "avery@example.org", "key-of-the-service"
UNKNOWN, FULL = "550 5.1.1 No such user", "552 5.2.2 Mailbox full"
SIGNS_EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC = SIGNS_EC.public_key().public_bytes(serialization.Encoding.DER,
                                            serialization.PublicFormat.SubjectPublicKeyInfo)  # fmt: skip


def ses(hard):
    gone = [{"emailAddress": TO, "diagnosticCode": f"smtp; {UNKNOWN if hard else FULL}"}]
    kind = "Permanent" if hard else "Transient"
    bounce = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": gone}
    inner = {"notificationType": "Bounce", "mail": {"messageId": "0100", "destination": [TO]}, "bounce": bounce}
    return {"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:us-east-1:1:mails",
            "Message": json.dumps(inner), "Timestamp": "2027-01-04T15:00:00.000Z"}  # fmt: skip


def mailgun(hard):
    return {"event-data": {
        "event": "failed", "severity": "permanent" if hard else "temporary", "reason": "bounce", "recipient": TO,
        "timestamp": 1798988400.0, "message": {"headers": {"message-id": ID.strip("<>")}},
        "delivery-status": {"message": UNKNOWN if hard else FULL, "code": 550}}}  # fmt: skip


def mailersend(hard):
    return {"type": "activity.hard_bounced" if hard else "activity.soft_bounced", "data": {
        "type": "hard_bounced" if hard else "soft_bounced", "id": "a1", "created_at": "2027-01-04T15:00:00Z",
        "email": {"message": {"id": "m1"}, "recipient": {"email": TO}},
        "morph": {"object": "recipient_bounce", "reason": UNKNOWN if hard else FULL}}}  # fmt: skip


def sparkpost(hard):
    told = {"type": "bounce", "bounce_class": "10" if hard else "22", "raw_rcpt_to": TO, "timestamp": "1798988400",
            "event_id": "1", "transmission_id": "t1", "raw_reason": UNKNOWN if hard else FULL}  # fmt: skip
    return [{"msys": {"message_event": told}}]


BOUNCES = {
    "amazon_ses": ses,
    "brevo": lambda hard: {"event": "hard_bounce" if hard else "soft_bounce", "email": TO, "ts_epoch": 1798988400000,
                           "message-id": ID, "reason": UNKNOWN if hard else FULL, "tags": []},
    "mailersend": mailersend,
    "mailgun": mailgun,
    "mailjet": lambda hard: [{"event": "bounce", "time": 1798988400, "MessageID": 19421777835146490, "email": TO,
                              "hard_bounce": hard, "error": "user unknown" if hard else "quota exceeded"}],
    "mandrill": lambda hard: [{"event": "hard_bounce" if hard else "soft_bounce", "ts": 1798988400, "_id": "1", "msg": {
        "_id": "1", "email": TO, "bounce_description": "bad_mailbox" if hard else "mailbox_full",
        "diag": UNKNOWN if hard else FULL, "tags": [], "metadata": []}}],
    "postmark": lambda hard: {"RecordType": "Bounce", "Type": "HardBounce" if hard else "SoftBounce", "ID": 42,
                              "MessageID": "883953f4", "Email": TO, "BouncedAt": "2027-01-04T15:00:00Z",
                              "Details": UNKNOWN if hard else FULL},
    "sendgrid": lambda hard: [{"event": "bounce", "type": "bounce" if hard else "blocked", "email": TO, "smtp-id": ID,
                               "timestamp": 1798988400, "sg_event_id": "e1", "sg_message_id": "s1",
                               "reason": UNKNOWN if hard else FULL, "status": "5.1.1" if hard else "5.2.2"}],
    "sparkpost": sparkpost,
}  # fmt: skip


def mac(message, digest=hashlib.sha256):
    return hmac.new(KEY.encode(), message, digest)


def dressed(service, body, forged):
    """Body, content type and headers as the service sends them, signed as it signs."""
    if service == "mailgun":
        stamp = {"timestamp": "1798988400", "token": "t" * 50}
        stamp["signature"] = mac((stamp["timestamp"] + stamp["token"]).encode()).hexdigest()
        body = {**body, "signature": {**stamp, "signature": "0" * 64} if forged else stamp}
    content, kind, headers = json.dumps(body).encode(), "application/json", {}
    if service == "mailersend":
        headers["Signature"] = mac(b"forged" if forged else content).hexdigest()
    elif service == "sendgrid":
        signed = SIGNS_EC.sign(b"1798988400" + (b"forged" if forged else content), ec.ECDSA(hashes.SHA256()))
        headers["X-Twilio-Email-Event-Webhook-Signature"] = base64.b64encode(signed).decode()
        headers["X-Twilio-Email-Event-Webhook-Timestamp"] = "1798988400"
    elif service == "mandrill":
        fields = {"mandrill_events": json.dumps(body)}
        said = "http://atlas:secret@testserver/mail-events/mandrill/" + "".join(f"{k}{v}" for k, v in fields.items())
        headers["X-Mandrill-Signature"] = base64.b64encode(
            mac(b"forged" if forged else said.encode(), hashlib.sha1).digest()
        ).decode()
        content, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    elif service == "amazon_ses":
        headers |= {"x-amz-sns-message-type": "Subscription" if forged else body["Type"],
                    "x-amz-sns-message-id": body["MessageId"]}  # fmt: skip
    return content, kind, headers


@pytest.fixture
def sent(patient):
    at = times.now() - timedelta(hours=1)
    return Message.objects.create(
        key="k", kind="visit-booked", patient_id=patient.pk, to=TO, status="sent", message_id=ID, due_at=at,
        try_after=at, useless_after=at + timedelta(days=1), sent_at=at,
    )  # fmt: skip


@pytest.fixture
def tell(client, settings):
    def told(service, body, *, given="atlas:secret", forged=False):
        key = base64.b64encode(PUBLIC).decode() if service == "sendgrid" else KEY
        settings.MAIL_SERVICE = service
        names = "WEBHOOK_SIGNING_KEY", "WEBHOOK_KEY", "SIGNING_SECRET", "TRACKING_WEBHOOK_VERIFICATION_KEY"
        settings.ANYMAIL = {"WEBHOOK_SECRET": "atlas:secret", **{f"{service.upper()}_{name}": key for name in names}}
        mail_services._reader.cache_clear()
        content, kind, headers = dressed(service, body, forged)
        if given:
            headers["Authorization"] = "Basic " + base64.b64encode(given.encode()).decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anymail's, of services that it may drop
            return client.post(f"/mail-events/{service}/", content, content_type=kind, headers=headers).status_code

    return told


def test_each_service_is_tried():
    assert set(BOUNCES) == set(mail_services.READERS) == set(mail_services.IS_FOR_GOOD)


@pytest.mark.parametrize("service", BOUNCES)
def test_a_hard_bounce_is_kept_and_flags_the_address_however_often_it_is_told(tell, sent, service):
    answers = [tell(service, BOUNCES[service](True)) for _ in range(2)]

    sent.refresh_from_db()
    assert (answers, sent.status) == ([200, 200], "bounced")
    assert AddressFault.objects.get().address == TO


@pytest.mark.parametrize("service", BOUNCES)
def test_a_full_mailbox_flags_nothing(tell, sent, service):
    assert tell(service, BOUNCES[service](False)) == 200
    assert not AddressFault.objects.exists()


@pytest.mark.parametrize("service", BOUNCES)
@pytest.mark.parametrize("secret", ["", "atlas:guessed"])
def test_without_the_secret_nothing_is_believed(tell, sent, service, secret):
    asks_for_it = service == "amazon_ses" and not secret

    assert tell(service, BOUNCES[service](True), given=secret) == (401 if asks_for_it else 400)
    sent.refresh_from_db()
    assert (sent.status, AddressFault.objects.count()) == ("sent", 0)


@pytest.mark.parametrize("service", ["amazon_ses", "mailersend", "mailgun", "mandrill", "sendgrid"])
def test_a_forged_signature_is_refused(tell, sent, service):
    assert tell(service, BOUNCES[service](True), forged=True) == 400
    assert not AddressFault.objects.exists()


@pytest.mark.parametrize("service", BOUNCES)
@pytest.mark.parametrize("body", [[], {}, None, 7, "x", [[]], {"event": {}}])
def test_what_is_no_report_is_never_an_error(tell, sent, service, body):
    if service in {"amazon_ses", "mailgun"} and not isinstance(body, dict):
        body = {"given": body}
    if service == "amazon_ses":
        body = {"Type": "Notification", "MessageId": "1", "Message": json.dumps(body)}

    assert tell(service, body) in {200, 400}
    assert not AddressFault.objects.exists()


def test_amazon_is_confirmed_by_hand(tell, db, caplog):
    asked = {"Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-1:1:mails",
             "Token": "t", "SubscribeURL": "https://sns.example.com/?Action=ConfirmSubscription"}  # fmt: skip

    assert tell("amazon_ses", asked) == 200
    assert "Action=ConfirmSubscription" in caplog.text
