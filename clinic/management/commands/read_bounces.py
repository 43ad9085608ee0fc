import mailbox
import sys

from django.core.management import BaseCommand, CommandError

from clinic import bounce_mails, delivery_reports


class Command(BaseCommand):
    help = (
        "Reads mails that came back: one from standard input (a pipe of the mail server), or the new ones of a Maildir "
        "or mbox. What is no delivery status notification is left where it is."
    )

    def add_arguments(self, parser):
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--maildir", help="Those that were understood are marked as seen.")
        where.add_argument("--mbox", help="Those that were understood are taken out.")

    def handle(self, *, maildir, mbox, **options):
        if maildir:
            counts = self._maildir(maildir)
        elif mbox:
            counts = self._mbox(mbox)
        else:
            counts = [_keep(sys.stdin.buffer.read())]
        known = sum(found for _, found in counts)
        told = sum(reports for reports, _ in counts)
        self.stdout.write(f"{len(counts)} mails, {told} reports, {known} about mails of ours.")

    def _maildir(self, path):
        box, counts = self._open(mailbox.Maildir, path), []
        for key, mail in list(box.items()):
            if "S" in mail.get_flags():
                continue
            counts.append(_keep(mail.as_bytes()))
            if counts[-1][0]:
                mail.set_subdir("cur")
                mail.add_flag("S")
                box[key] = mail
        return counts

    def _mbox(self, path):
        box, counts = self._open(mailbox.mbox, path), []
        box.lock()
        try:
            for key, mail in list(box.items()):
                counts.append(_keep(mail.as_bytes()))
                if counts[-1][0]:
                    box.remove(key)
            box.flush()
        finally:
            box.unlock()
        return counts

    def _open(self, kind, path):
        try:
            return kind(path, create=False)
        except mailbox.NoSuchMailboxError as error:
            raise CommandError(f"There is no mailbox at {path}.") from error


def _keep(content: bytes) -> tuple[int, int]:
    """How many reports the mail held, and how many of them were about mails that we sent."""
    try:
        reports = bounce_mails.read(content)
    except (ValueError, LookupError, AttributeError, TypeError):  # one that nobody could read must not stop the others
        return 0, 0
    return len(reports), sum(delivery_reports.record(one, is_trusted=False) is not None for one in reports)
