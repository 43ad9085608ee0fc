import getpass
import os

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from clinic import audit
from clinic.models import User
from locations.models import StaffAssignment


class Command(BaseCommand):
    help = "The first sign-in of a new installation: an owner of the whole group."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("full_name")

    @transaction.atomic
    def handle(self, *, email, full_name, **options):
        """The password is asked for, or read from OWNER_PASSWORD where nobody sits at the terminal."""
        email = email.strip().lower()
        password = os.environ.get("OWNER_PASSWORD") or getpass.getpass("Password: ")
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} has a sign-in already.")
        try:
            validate_email(email)
            validate_password(password, User(email=email, full_name=full_name))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        owner = User.objects.create_user(email, password, full_name=full_name)
        EmailAddress.objects.create(user=owner, email=email, verified=True, primary=True)
        StaffAssignment.objects.create(user=owner, role=StaffAssignment.Role.OWNER)
        audit.record("user.created", on=owner, by_whom="command line")
        self.stdout.write(f"{email} may sign in as owner of the group.")
