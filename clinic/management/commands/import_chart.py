from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from clinic import chart_files
from clinic.errors import RuleBroken


class Command(BaseCommand):
    help = "Bring in a chart file as a new patient. A file with a fault is refused whole, each fault by its JSON path."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *args, file, **options):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from None
        try:
            patient = chart_files.bring_in(chart_files.read(text))
        except RuleBroken as broken:
            lines = [f"  {path}: {sentence}" for path, sentence in broken.fields.items()]
            raise CommandError("\n".join([f"{file}: {broken.message}", *lines])) from None
        self.stdout.write(f"{file}: brought in as patient {patient.pk}")
