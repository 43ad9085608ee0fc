from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"

    def ready(self):
        from appointments import visit_actions
        from appointments.mails import follow_up_mails
        from evaluations import ties, timeline
        from evaluations.intake import intake_asks, self_intake
        from patients import chart, treatment

        follow_up_mails.add_intake_page(self_intake.address)
        treatment.add(ties.examinations)
        chart.add_timeline(timeline.entries)
        chart.add_timeline(timeline.notes)
        chart.add_panel("evaluations/_patient_panel.html", timeline.panel, action="evaluation.read")
        visit_actions.add_panel("evaluations/_visit_intake.html", intake_asks.panel, action="appointment.change")
        visit_actions.add("evaluations/_visit_action.html", action="evaluation.write")
        visit_actions.add("evaluations/_note_action.html", action="evaluation.write")
