from django.db import migrations

from careplans import protection


def install(apps, schema_editor):
    protection.install(schema_editor, "careplans_planversion", "careplans_agreement")


def remove(apps, schema_editor):
    protection.remove(schema_editor, "careplans_planversion", "careplans_agreement")


class Migration(migrations.Migration):
    dependencies = [("careplans", "0006_consents_of_their_own")]
    operations = [
        migrations.RemoveConstraint(
            model_name="careplan",
            name="plan_consent_whole_or_absent",
        ),
        migrations.RemoveField(
            model_name="careplan",
            name="consent_signed_at",
        ),
        migrations.RemoveField(
            model_name="careplan",
            name="consent_signed_name",
        ),
        migrations.RunPython(install, remove),
    ]
