from django.db import migrations, models

from evaluations import protection


def install(apps, schema_editor):
    protection.install(schema_editor)


def remove(apps, schema_editor):
    protection.remove(schema_editor)


class Migration(migrations.Migration):
    """The age is signed; and the triggers anew, which refuse to take the id or the visit of a signed row as well."""

    dependencies = [("evaluations", "0010_entered_in_error")]
    operations = [
        migrations.RunPython(remove, install),
        migrations.AddField(
            model_name="evaluation",
            name="age_when_signed",
            field=models.PositiveSmallIntegerField(help_text="In years; results depend on it.", null=True),
        ),
        migrations.RunPython(install, remove),
    ]
