from django.db import migrations

from evaluations import note_protection


def install(apps, schema_editor):
    note_protection.install(schema_editor)


def remove(apps, schema_editor):
    note_protection.remove(schema_editor)


class Migration(migrations.Migration):
    """A signed note, its addenda and the steps of an incident stay as they are, whoever asks."""

    dependencies = [("evaluations", "0007_visit_notes")]
    operations = [migrations.RunPython(install, remove)]
