import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import clinic.text
from evaluations import withdrawal_protection


def install(apps, schema_editor):
    withdrawal_protection.install(schema_editor)


def remove(apps, schema_editor):
    withdrawal_protection.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0014_intake_asks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=500, validators=[clinic.text.clean_line])),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations_withdrawn",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "evaluation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="evaluations.evaluation",
                    ),
                ),
            ],
        ),
        migrations.RunPython(install, remove),
    ]
