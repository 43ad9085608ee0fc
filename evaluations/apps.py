from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"

    def ready(self):
        from appointments import visit_actions
        from evaluations import ties, timeline
        from patients import chart, treatment

        treatment.add(ties.examinations)
        chart.add_timeline(timeline.entries)
        chart.add_panel("evaluations/_patient_panel.html", timeline.panel, action="evaluation.read")
        visit_actions.add("evaluations/_visit_action.html", action="evaluation.write")
