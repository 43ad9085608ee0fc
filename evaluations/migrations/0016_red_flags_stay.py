from django.db import migrations

from evaluations import flag_protection


def install(apps, schema_editor):
    flag_protection.install(schema_editor)


def remove(apps, schema_editor):
    flag_protection.remove(schema_editor)


class Migration(migrations.Migration):
    """A red flag that was raised is not taken back, whoever asks: rule, shell or raw SQL."""

    dependencies = [("evaluations", "0015_withdrawals")]
    operations = [migrations.RunPython(install, remove)]
