from django.db import migrations

from careplans import protection

GUARDED = ("careplans_planversion", "careplans_agreement")  # the tables that were there then


def install(apps, schema_editor):
    protection.remove(schema_editor, *GUARDED)
    protection.install(schema_editor, *GUARDED)


class Migration(migrations.Migration):
    """The triggers once more: TRUNCATE runs none of those that guard rows."""

    dependencies = [("careplans", "0007_plans_keep_no_consent")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
