from django.db import migrations, models

import clinic.fields


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_intake_and_diary")]

    operations = [
        migrations.AlterField(
            model_name="searchterm",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="search_terms",
                to="patients.patient",
            ),
        ),
        migrations.AlterField(
            model_name="searchterm",
            name="term",
            field=clinic.fields.CodePointField(max_length=400),
        ),
        migrations.AddIndex(
            model_name="searchterm",
            index=models.Index(fields=["term", "patient"], name="search_terms_in_order"),
        ),
    ]
