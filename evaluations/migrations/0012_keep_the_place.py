from django.db import migrations

from evaluations import note_protection


def install(apps, schema_editor):
    note_protection.remove(schema_editor)
    note_protection.install(schema_editor)


class Migration(migrations.Migration):
    """The triggers once more: no other row takes the place of a signed one, by its id or by what else is unique."""

    dependencies = [("evaluations", "0011_signed_for_good")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
