from django import forms

from appointments.forms import day_field
from locations import access
from locations.forms import dress, line
from locations.models import Closure, Location

GROUP, SOME = "group", "some"


class CloseForm(forms.Form):
    """Which days, why, and where; a single day needs only the first."""

    reason = line("What for", 200, help_text="Thanksgiving, staff training, floor being renewed…")
    starts_on = day_field(label="First day")
    ends_on = day_field(label="Last day", required=False, help_text="Leave it empty for a single day.")
    where = forms.ChoiceField(
        label="Where", choices=[(GROUP, "All clinics"), (SOME, "Only these clinics")], widget=forms.RadioSelect
    )
    locations = forms.ModelMultipleChoiceField(
        Location.objects.none(), label="Clinics", required=False, to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        mine = Location.objects.visible_to(user, "location.change").filter(is_open=True)
        self.fields["locations"].queryset = mine
        self.places = list(mine)
        if access.location_ids(user, "location.change") is not None:  # no part of the group is all of it
            self.fields["where"].choices = [(SOME, "These clinics")]
        self.fields["where"].initial = self.fields["where"].choices[0][0]
        dress(self, "reason", ("starts_on", "ends_on"), "where", "locations")

    def clean(self):
        data = self.cleaned_data
        data["ends_on"] = data.get("ends_on") or data.get("starts_on")
        if data.get("where") == GROUP and data.get("locations"):
            self.add_error("where", "Choose “Only these clinics”, or untick the clinics.")
        if data.get("where") == SOME and not data.get("locations") and "locations" not in self.errors:
            self.add_error("locations", "Choose at least one clinic.")
        return data

    def chosen(self):
        """The locations, or None for the whole group."""
        return None if self.cleaned_data["where"] == GROUP else list(self.cleaned_data["locations"])

    def would_close(self) -> list[Closure]:
        """Unsaved: what these visits would be looked up for."""
        data = self.cleaned_data
        days = {"starts_on": data["starts_on"], "ends_on": data["ends_on"]}
        return [Closure(location=place, **days) for place in self.chosen() or [None]]
