from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("careplans", "0003_series_of_plans"),
    ]

    operations = [
        migrations.DeleteModel(name="PlannedVisit"),
    ]
