from django.db import migrations, models

from evaluations import protection


def install(apps, schema_editor):
    protection.install(schema_editor)


def remove(apps, schema_editor):
    protection.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0004_readings_of_motions")]

    # The triggers are made anew: what they refuse has grown too.
    operations = [
        migrations.RunPython(remove, install),
        migrations.AddField(
            model_name="evaluation",
            name="intake",
            field=models.JSONField(
                help_text="The patient's answers as they were confirmed at this evaluation.", null=True
            ),
        ),
        migrations.RunPython(install, remove),
    ]
