from django.db import migrations

from patients import protection


def install(apps, schema_editor):
    protection.install(schema_editor)


def remove(apps, schema_editor):
    protection.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_consent_on_screen")]
    operations = [migrations.RunPython(install, remove)]
