from django.db import migrations

from evaluations import protection


def install(apps, schema_editor):
    protection.install(schema_editor)


def remove(apps, schema_editor):
    protection.remove(schema_editor)


class Migration(migrations.Migration):
    """The triggers anew: they refuse to put another row in the place of a signed one as well."""

    dependencies = [("evaluations", "0005_intake_as_confirmed")]
    operations = [migrations.RunPython(remove, install), migrations.RunPython(install, remove)]
