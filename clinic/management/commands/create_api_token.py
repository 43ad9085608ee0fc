from django.core.management.base import BaseCommand, CommandError

from clinic import audit, tokens
from clinic.models import User


class Command(BaseCommand):
    help = "Print a new API token that acts as the user with this e-mail address. It is shown only once."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--days", type=int, default=365, help="how long it is good for (365)")

    def handle(self, *args, **options):
        user = User.objects.filter(email=options["email"].lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"No active user has the address {options['email']}.")
        token = tokens.issue_api_token(user, days=options["days"])
        audit.record("api_token.created", on=user, by_whom="command line")
        self.stdout.write(token)
