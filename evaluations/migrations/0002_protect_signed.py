from django.db import migrations

from evaluations import protection


def install(apps, schema_editor):
    protection.install(schema_editor)


def remove(apps, schema_editor):
    protection.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
