from django.apps import AppConfig


class CarePlansConfig(AppConfig):
    name = "careplans"

    def ready(self):
        from appointments import series
        from careplans import planning, ties, timeline
        from evaluations import next_steps
        from patients import chart, treatment

        series.add_gate(planning.gate)
        treatment.add(ties.running_plans)
        chart.add_timeline(timeline.entries)
        chart.add_panel("careplans/_panel.html", timeline.panel, action="careplan.read")
        chart.add_action("Write a care plan", "plan-new", action="careplan.write", icon="plan")
        next_steps.add("Write care plan", "plan-new", action="careplan.write")
