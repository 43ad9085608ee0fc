from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who works at the clinics and signs in by e-mail."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    def __str__(self):
        return self.full_name or self.email

    @property
    def is_staff(self):
        return self.is_superuser


class AuditEntry(models.Model):
    """Who saw or changed what, written by the rule or the view that did it."""

    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="audit_entries")
    by_whom = models.CharField(max_length=200)
    action = models.CharField(max_length=80, db_index=True)
    about = models.CharField(max_length=80)
    about_id = models.BigIntegerField(null=True)
    patient_id = models.BigIntegerField(null=True, db_index=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["about", "about_id"], name="audit_about")]


class Message(models.Model):
    """One mail owed or sent. The unique key says what it is about, so that it can be owed only once."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Being sent"
        SENT = "sent", "Sent"
        SENT_MAYBE_TWICE = "sent_maybe_twice", "Sent, perhaps twice"
        RETRY = "retry", "Waiting to be tried again"
        FAILED = "failed", "Failed"
        BOUNCED = "bounced", "Bounced"
        MISSED = "missed", "Missed its time"
        SKIPPED = "skipped", "Skipped"

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=60)
    patient_id = models.BigIntegerField(null=True, db_index=True)
    about = models.CharField(max_length=80, blank=True)
    about_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)
    to = models.EmailField(blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True, help_text="As sent, but with the secret links taken out.")
    html = models.TextField(blank=True, help_text="The same as the patient saw it.")
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.WAITING)
    reason = models.TextField(blank=True)
    due_at = models.DateTimeField(db_index=True)
    useless_after = models.DateTimeField()
    try_after = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    lease = models.CharField(max_length=40, blank=True)
    in_data = models.BooleanField(default=False, help_text="From here on the server may have taken it.")
    maybe_twice = models.BooleanField(default=False, help_text="Sent again after an attempt that may have succeeded.")
    sent_at = models.DateTimeField(null=True, db_index=True)
    delivered_at = models.DateTimeField(null=True, help_text="Told by the mail service of the patient, where it tells.")

    class Meta:
        ordering = ["-due_at", "-id"]
        indexes = [
            models.Index(fields=["status", "try_after"], name="message_status_try"),
            models.Index(fields=["status", "leased_until"], name="message_status_lease"),
        ]


class MessagePart(models.Model):
    """One of the things that a mail tells of; the unique key means that no other mail tells of it too.

    `left_out` says why the mail, once written, did not tell of it after all.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="parts")
    key = models.CharField(max_length=200, unique=True)
    patient_id = models.BigIntegerField(null=True, db_index=True, help_text="Where the mail is to several at once.")
    left_out = models.CharField(max_length=200, blank=True)


class AddressFault(models.Model):
    """An address that takes no mail, and why; nothing is sent to it until it is mended."""

    class Kind(models.TextChoices):
        BOUNCED = "bounced", "Comes back"
        COMPLAINED = "complained", "Reported as unwanted"

    address = models.EmailField()
    kind = models.CharField(max_length=12, choices=Kind)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="address_faults")
    mended_at = models.DateTimeField(null=True)
    mended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="addresses_mended")

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=models.Q(mended_at=None), name="one_standing_address_fault"
            )
        ]


class Link(models.Model):
    """A link in a mail: random, stored hashed, for one purpose, expiring, revocable."""

    token_hash = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=40)
    about = models.CharField(max_length=80)
    about_id = models.BigIntegerField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["about", "about_id", "purpose"], name="link_about")]


class ApiToken(models.Model):
    """A key to the API that acts as its user; only the hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class IdempotentRequest(models.Model):
    """The answer already given to a request, so that a repeat gets the same one and acts only once."""

    key = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="idempotent_requests")
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]


class Heartbeat(models.Model):
    """When a part that runs by itself was last heard from."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    holder = models.CharField(max_length=80, blank=True, help_text="Who it is, where only one may be.")
