from django.core.management import BaseCommand, CommandError

from clinic import catalogs, wordings


class Command(BaseCommand):
    help = "Tells what the catalogues in translations/ lack; --add writes it into them, to be filled in."

    def add_arguments(self, parser):
        parser.add_argument("--add", action="store_true")

    def handle(self, *, add, **options):
        found = 0
        for catalogue in sorted(catalogs.SOURCES.glob("*.po")):
            if add:
                wordings.bring_up_to_date(catalogue)
            missing, unused = wordings.lacking(catalogue)
            for one in missing:
                self.stdout.write(f"{catalogue.name} lacks: {one.msgid}")
            for one in unused:
                self.stdout.write(f"{catalogue.name} keeps what nobody says: {one.msgid}")
            found += len(missing) + len(unused)
        if found:
            raise CommandError(f"{found} to be put right.")
        self.stdout.write("Every text is there in every language.")
