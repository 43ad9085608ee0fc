from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self):
        from clinic import navigation
        from patients import ties, treatment

        navigation.add("Patients", "patients", action="patient.search", icon="patients", order=30, key="p")
        treatment.add(ties.registered)
