from django.db import migrations

from careplans import protection


def install(apps, schema_editor):
    protection.remove(schema_editor)
    protection.install(schema_editor)


class Migration(migrations.Migration):
    """The triggers once more: no other row takes the place of a signed one, by its id or by what else is unique."""

    dependencies = [("careplans", "0012_steps_in_words")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
