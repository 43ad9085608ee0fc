import json
from decimal import Decimal

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from clinic import audit, chart_files


class Command(BaseCommand):
    help = "Print the chart of a patient as JSON."

    def add_arguments(self, parser):
        parser.add_argument("patient_id", type=int)

    def handle(self, *args, patient_id, **options):
        patient = apps.get_model("patients", "Patient").objects.filter(pk=patient_id).first()
        if patient is None:
            raise CommandError(f"There is no patient {patient_id}.")
        audit.record("chart.taken_out", on=patient, by_whom="export_chart")
        chart = chart_files.take_out(patient)
        self.stdout.write(json.dumps(chart, indent=1, ensure_ascii=False, default=_number))


def _number(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent >= 0 else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
