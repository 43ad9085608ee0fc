from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self):
        from clinic import navigation

        navigation.add("Today", "today", action="appointment.read", icon="today", order=10, key="t")
        navigation.add_button("New booking", "appointment-new", action="appointment.create", icon="plus", key="n")
        navigation.search_at("search", action="patient.search")
