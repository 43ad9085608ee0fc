from django.db import migrations

from patients import protection


def install(apps, schema_editor):
    protection.remove(schema_editor)
    protection.install(schema_editor)


class Migration(migrations.Migration):
    """The triggers once more: TRUNCATE runs none of those that guard rows."""

    dependencies = [("patients", "0008_mail_choices")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
