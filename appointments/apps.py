from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "appointments"

    def ready(self):
        from appointments import ties, timeline, visits_ahead
        from appointments.mails import follow_up_mails
        from appointments.online import public_holds
        from appointments.recurring import standing
        from appointments.timetable import clinic_ways, meeting_hours
        from appointments.waiting import lost_offers, waitlist_page
        from clinic import navigation
        from locations import in_the_way, kept_times, mail_rules, opens_again, setup_pages
        from patients import chart, treatment

        navigation.add("Calendar", "calendar", action="appointment.read", icon="calendar", order=20, key="c")
        navigation.add("Waitlist", "waitlist", action="appointment.read", icon="clock", order=25, key="l")
        navigation.add_button("New booking", "appointment-new", action="appointment.create", icon="plus", key="n")
        in_the_way.add(visits_ahead.of)
        mail_rules.add(follow_up_mails.INTAKE)
        mail_rules.add(follow_up_mails.MISSED)
        kept_times.add(lost_offers.give_up)
        kept_times.add(public_holds.give_up)
        opens_again.add(meeting_hours.refuse_at)
        treatment.add(ties.visits)
        chart.add_timeline(timeline.entries)
        chart.add_action("Calendar feed", "patient-feed", action="patient.write", icon="calendar")
        chart.add_action("Put on the waitlist", "waitlist-new", action="appointment.create", icon="clock")
        chart.add_action("Plan a series", "series-new", action="appointment.create", icon="calendar")
        chart.add_action("Book a visit", "appointment-new", action="appointment.create", icon="plus")
        chart.add_panel("appointments/_series_panel.html", standing.panel, action="appointment.read")
        chart.add_panel("appointments/_waits_panel.html", waitlist_page.panel, action="appointment.read")
        also = ("/setup/hours/",)
        setup_pages.add("Practitioners", "setup-practitioners", action="hours.change", order=20, also=also)
        setup_pages.add("Types of visit", "setup-types", action="type.change", order=40)
        setup_pages.add("Mails", "setup-mails", action="location.change", order=45)
        setup_pages.add("Closures", "setup-closures", action="location.change", order=50)
        setup_pages.add_way_on(clinic_ways.to_zone)
        setup_pages.add_way_on(clinic_ways.to_stuck_visits)
