from django.apps import AppConfig


class LocationsConfig(AppConfig):
    name = "locations"

    def ready(self):
        from clinic import navigation
        from locations import setup_pages

        navigation.add("Setup", "setup", action="hours.change", icon="setup", order=90, key="s")
        also = ("/setup/ways/", "/setup/rooms/")
        setup_pages.add("Clinics", "setup-clinics", action="location.change", order=10, also=also)
        setup_pages.add("People", "setup-people", action="staff.change", order=30, also=("/setup/roles/",))
