from zoneinfo import ZoneInfo

from django.db import migrations


def carry(apps, schema_editor):
    """What was signed on a plan becomes a form of the patient; a form that a chart file brought is that one."""
    forms = apps.get_model("patients", "ConsentForm").objects
    plans = apps.get_model("careplans", "CarePlan").objects.exclude(consent_signed_at=None)
    for plan in plans.select_related("location"):
        brought = forms.filter(patient=plan.patient_id, answers__chiropractic_care=True, signed_at=None).first()
        plan.consent = brought or forms.create(
            patient_id=plan.patient_id,
            answers={"chiropractic_care": True},
            signed_by="patient",
            typed_name=plan.consent_signed_name,
            signed_on=plan.consent_signed_at.astimezone(ZoneInfo(plan.location.time_zone)).date(),
            by_id=plan.created_by_id,
        )
        plan.save(update_fields=["consent"])


class Migration(migrations.Migration):
    dependencies = [("careplans", "0005_versions_and_agreements")]
    operations = [migrations.RunPython(carry, migrations.RunPython.noop)]
