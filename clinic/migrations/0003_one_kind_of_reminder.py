from django.db import migrations


def rename(apps, schema_editor):
    """The hours are data now: what was sent, or waits, is of the one kind."""
    rows = apps.get_model("clinic", "Message").objects
    for hours in (48, 2):
        rows.filter(kind=f"visit-reminder-{hours}h").update(
            kind="visit-reminder", detail={"hours": hours, "only_unconfirmed": False}
        )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0002_message_parts")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
