from django.apps import AppConfig


class CarePlansConfig(AppConfig):
    name = "careplans"

    def ready(self):
        from appointments.recurring import gates, rearranging
        from careplans import at_visits, further_visits, progress, reminders, ties, timeline
        from evaluations import next_steps, running_plans
        from locations import mail_rules, setup_pages
        from patients import chart, treatment

        setup_pages.add("Plan templates", "setup-plan-templates", action="plan_template.change", order=60)
        gates.add(further_visits.gate)
        gates.add_of_visits(further_visits.against)
        rearranging.add_checkpoint(progress.next_checkpoint)
        running_plans.add(at_visits.agreed)
        treatment.add(ties.running_plans)
        for kind in reminders.ORDER:
            mail_rules.add(kind)
        chart.add_timeline(timeline.entries)
        chart.add_panel("careplans/_panel.html", timeline.panel, action="careplan.read")
        chart.add_action("Write a care plan", "plan-new", action="careplan.write", icon="plan")
        next_steps.add("Write care plan", "plan-new", action="careplan.write")
