from datetime import datetime

from django.core.management.base import BaseCommand, CommandError

from clinic import outbox


def instant(text):
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at must be an ISO 8601 instant such as 2027-01-04T09:00-05:00, not {text!r}.") from None
    if found.tzinfo is None:
        raise CommandError("--at must name its offset, e.g. 2027-01-04T09:00-05:00 or 2027-01-04T14:00Z.")
    return found


class Command(BaseCommand):
    help = "Send every mail that is due; what Celery beat wakes once a minute. Safe to run at any time, and twice."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only list who would get what, and why")
        parser.add_argument(
            "--clock-is-right", action="store_true",
            help="wait no longer for the clock to catch up with a mail that was sent by a wrong one",
        )  # fmt: skip
        parser.add_argument("--at", metavar="ISO", help="as if it were this instant")

    def handle(self, *args, **options):
        if options["clock_is_right"]:
            self.stdout.write(f"{outbox.believe_the_clock()} were sent by a wrong clock.")
        at = instant(options["at"]) if options["at"] else None
        messages = outbox.send_due(at, dry_run=options["dry_run"])
        for message in messages:
            verb = f"would be {message.get_status_display().lower()}" if options["dry_run"] else message.status
            line = f"{verb}: {message.to or 'nobody'}: {message.subject or message.kind} ({outbox.why(message)})"
            self.stdout.write(f"{line}: {message.reason}" if message.reason else line)
        self.stdout.write(f"{len(messages)} {'due' if options['dry_run'] else 'settled'}.")
