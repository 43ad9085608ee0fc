from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self):
        from clinic import navigation
        from patients import chart

        navigation.add("Today", "today", action="appointment.read", icon="today", order=10, key="t")
        navigation.add("Worklists", "worklists", action="appointment.read", icon="list", order=40, key="w")
        navigation.add("Messages", "messages", action="message.read", icon="message", order=60, key="m")
        navigation.add("Audit", "audit", action="audit.read", icon="search", order=70, key="a")
        chart.add_action("Messages", "patient-messages", action="message.read", icon="message")
        chart.add_action("Who saw this", "audit", action="audit.read", icon="search")
        navigation.search_at("search", action="patient.search")
