import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0011_preparation_in_spanish")]

    operations = [
        migrations.AddField(
            model_name="appointmenttype",
            name="late_cancel_hours",
            field=models.PositiveSmallIntegerField(
                default=0, validators=[django.core.validators.MaxValueValidator(168)]
            ),
        ),
    ]
