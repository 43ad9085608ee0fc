from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0004_what_patients_saw"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="holder",
            field=models.CharField(
                blank=True, default="", help_text="Who it is, where only one may be.", max_length=80
            ),
            preserve_default=False,
        ),
    ]
