from datetime import time

import django.db.models.deletion
from django.db import migrations, models

VISIT_TYPE = "adjustment"


def planned_visits_into_series(apps, schema_editor):
    """Each plan with planned visits gets a series of them; its appointments stand for the series' visits from now on."""
    all_planned = apps.get_model("careplans", "PlannedVisit").objects
    all_series = apps.get_model("appointments", "Series").objects
    all_visits = apps.get_model("appointments", "SeriesVisit").objects
    type = apps.get_model("appointments", "AppointmentType").objects.filter(slug=VISIT_TYPE).first()
    plans = apps.get_model("careplans", "CarePlan").objects.filter(phases__planned_visits__isnull=False).distinct()
    for plan in plans if type else ():
        phases = list(plan.phases.order_by("order"))
        planned = all_planned.filter(phase__plan=plan).select_related("phase", "appointment")
        planned = list(planned.order_by("phase__order", "number"))
        plan.series = all_series.create(
            patient_id=plan.patient_id,
            type=type,
            practitioner_id=plan.practitioner_id,
            location_id=plan.location_id,
            pattern={
                "starts_on": plan.starts_on.isoformat(),
                "stretches": [[phase.visits_per_week, phase.weeks] for phase in phases],
                "weekdays": sorted({visit.wanted_on.weekday() for visit in planned}),
                "at_time": "09:00",
                "checkpoint_after": None,
                "checkpoint_by": None,
            },
            is_open=plan.status == "active",
            begun_by_id=plan.created_by_id,
            begun_at=plan.activated_at or plan.created_at,
        )
        plan.save(update_fields=["series"])
        for number, visit in enumerate(planned, 1):
            made = all_visits.create(
                series=plan.series, number=number, stretch=visit.phase.order, type=type, wanted_on=visit.wanted_on,
                wanted_at=time(9),
            )  # fmt: skip
            if visit.appointment:
                visit.appointment.series_visit = made
                visit.appointment.save(update_fields=["series_visit"])


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0006_holds"),
        ("careplans", "0002_chart_file"),
    ]

    operations = [
        migrations.AddField(
            model_name="careplan",
            name="series",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="care_plan",
                to="appointments.series",
            ),
        ),
        migrations.RunPython(planned_visits_into_series, migrations.RunPython.noop),
    ]
