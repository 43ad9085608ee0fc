from django import forms
from django.db.models import Q

from appointments.forms import day_field
from appointments.moving import bulk_moves
from appointments.moving.bulk_moves import Span
from appointments.timetable import at_work
from clinic import times
from clinic.errors import RuleBroken
from locations.models import Location, Practitioner

ALL, STUCK = "all", "stuck"


class BulkMoveForm(forms.Form):
    """Whose visits, where and when, and where they should go. Sent by GET: it can be repeated and linked to."""

    practitioner = forms.ModelChoiceField(
        Practitioner.objects.none(), label="Visits of", required=False, empty_label="Everybody"
    )
    location = forms.ChoiceField(label="At", required=False)
    first = day_field(label="From")
    last = day_field(label="To", required=False, help_text="Leave it empty for a single day.")
    which = forms.ChoiceField(
        label="Which",
        choices=[(ALL, "All: the practitioner is not there"), (STUCK, "Only those that cannot take place as booked")],
        widget=forms.RadioSelect({"class": "form-check-input"}),
    )
    to = forms.ChoiceField(label="Propose")
    at = forms.ChoiceField(label="Where", required=False)

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        self.places = list(Location.objects.visible_to(user, "appointment.change"))
        ahead = Q(appointments__location__in=self.places, appointments__starts_at__gt=times.now())
        people = Practitioner.objects.filter(ahead | at_work.hours_ahead(self.places)).select_related("user").distinct()
        self.fields["practitioner"].queryset = people
        named = [(place.slug, place.name) for place in self.places]
        self.fields["location"].choices = [("", "All my clinics"), *named] if len(named) > 1 else named
        self.fields["at"].choices = [("", "At the same clinic"), *((p.slug, p.name) for p in self.places if p.is_open)]
        self.colleagues = {f"{person.pk}": person for person in at_work.at(self.places)}
        self.fields["to"].choices = [
            (bulk_moves.ANYONE, "The same time with anybody who is free"),
            (bulk_moves.SAME, "The same practitioner at the nearest other time"),
            *((pk, f"The same time with {person}") for pk, person in self.colleagues.items()),
        ]

    def clean(self):
        data = self.cleaned_data
        data["last"] = data.get("last") or data.get("first")
        if self.errors:
            return data
        places = [place for place in self.places if data["location"] in ("", place.slug)]
        data["span"] = Span(
            locations=places, first=data["first"], last=data["last"], practitioner=data["practitioner"],
            only_stuck=data["which"] == STUCK,
        )  # fmt: skip
        try:
            data["span"].check()
        except RuleBroken as refused:
            for name, said in refused.fields.items():
                self.add_error(name, said)
        return data

    def aim(self):
        """What `bulk_moves.question` takes beside the visits and the span."""
        data = self.cleaned_data
        at = next((place for place in self.places if place.slug == data["at"]), None)
        return {"to": self.colleagues.get(data["to"], data["to"]), "location": at}
