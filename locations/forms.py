from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms

from clinic.text import clean_line
from locations import places, staffing, ways
from locations.models import Location, Room, StaffAssignment


def line(label, most, **options):
    return forms.CharField(label=label, max_length=most, validators=[clean_line], **options)


def rows(*pairs):
    """Two fields to a line on wide pages."""
    return [
        Row(*(Column(name, css_class="col-sm-6") for name in pair), css_class="g-3")
        if isinstance(pair, tuple)
        else pair
        for pair in pairs
    ]


def dress(form, *pairs):
    """Let crispy lay the form out without a form tag of its own."""
    form.helper = FormHelper()
    form.helper.form_tag = False
    form.helper.disable_csrf = True
    form.helper.layout = Layout(*rows(*pairs))


def say(form, refused):
    """A refusal at its fields, or above the form."""
    for name, said in refused.fields.items():
        form.add_error(name if name in form.fields else None, said)
    if not refused.fields:
        form.add_error(None, refused.message)


class ClinicForm(forms.Form):
    """The address of a clinic; the rule checks and writes."""

    name = line("Name", 200)
    street = line("Street", 200, required=False)
    city = line("City", 100)
    state = line("State", 2, help_text="Two letters.")
    postal_code = line("ZIP code", 10, required=False)
    time_zone = forms.ChoiceField(label="Time zone", help_text="Some states lie in two: Tennessee, Kentucky, Florida.")
    phone = line("Phone", 30, required=False)
    parking = line("Parking", 300, required=False, help_text="Patients read this in their mails.")
    map_url = forms.URLField(
        label="Map", max_length=200, required=False, assume_scheme="https",
        help_text="Where it is empty, mails link to a map of the address.",
    )  # fmt: skip
    sender_name = line(
        "Mails come from", 60, required=False,
        help_text="A name that tells nobody what is treated. Where it is empty, that of the group.",
    )  # fmt: skip

    def __init__(self, data=None, *, location=None, **options):
        if location is not None:
            options["initial"] = {name: getattr(location, name) for name in places.FIELDS}
        super().__init__(data, **options)
        zones = list(places.ZONES)
        if location is None:
            zones.insert(0, ("", "Choose…"))
        elif location.time_zone not in dict(zones):
            zones.insert(0, (location.time_zone, location.time_zone))
        self.fields["time_zone"].choices = zones
        dress(self, *self.layout())

    def layout(self):
        return [("name", "street"), ("city", "state"), ("postal_code", "time_zone"), ("phone", "parking"),
                ("map_url", "sender_name")]  # fmt: skip


class AmendClinicForm(ClinicForm):
    """All but the zone: what depends on it is asked about on a page of its own."""

    def __init__(self, data=None, **options):
        super().__init__(data, **options)
        del self.fields["time_zone"]

    def layout(self):
        return [("name", "street"), ("city", "state"), ("postal_code", "phone"), "parking", ("map_url", "sender_name")]


class NewClinicForm(ClinicForm):
    """A clinic like another: rooms, hours and ways are taken over, name, address and zone are asked."""

    like = forms.ModelChoiceField(
        Location.objects.filter(is_open=True), label="Set up like", to_field_name="slug", required=False,
        empty_label="an empty clinic", help_text="Its rooms, opening hours and ways to other clinics are taken over.",
    )  # fmt: skip
    minutes_between = forms.IntegerField(
        label="Minutes of driving between the two", required=False, min_value=0, max_value=ways.LONGEST
    )

    def __init__(self, data=None, **options):
        super().__init__(data, **options)
        self.fields["like"].widget.attrs["autofocus"] = True

    def layout(self):
        return [("like", "minutes_between"), *super().layout()]


class RoomForm(forms.Form):
    name = line("Name", 60)
    kind = forms.ChoiceField(label="For", choices=Room.Kind)

    def __init__(self, data=None, *, instance=None, **options):
        if instance is not None:
            options["initial"] = {"name": instance.name, "kind": instance.kind}
        super().__init__(data, **options)
        self.instance = instance


class WayForm(forms.Form):
    """The way from a clinic to one other; empty where nobody goes it on one day."""

    minutes = forms.IntegerField(required=False, min_value=0, max_value=ways.LONGEST)

    def __init__(self, data=None, *, other, **options):
        super().__init__(data, prefix=f"to-{other.slug}", **options)
        self.other = other
        self.fields["minutes"].label = f"Minutes to {other}"


class MissingWayForm(forms.Form):
    """The way between two clinics that nobody entered yet."""

    minutes = forms.IntegerField(required=False, min_value=0, max_value=ways.LONGEST)

    def __init__(self, data=None, *, one, other):
        super().__init__(data, prefix=f"{one.slug}-{other.slug}")
        self.one, self.other = one, other
        self.fields["minutes"].label = f"Minutes from {one} to {other}"


class OtherWaysForm(forms.Form):
    """Ways that are all as long, so that each need not be typed."""

    minutes = forms.IntegerField(
        label="Minutes for all that are left empty", required=False, min_value=0, max_value=ways.LONGEST
    )


def roles_to_give(user):
    return [(role, StaffAssignment.Role(role).label) for role in staffing.may_give(user)]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role")
    locations = forms.ModelMultipleChoiceField(
        Location.objects.none(), label="At", required=False, widget=forms.CheckboxSelectMultiple, to_field_name="slug",
        help_text="None for an owner or an auditor: those roles are held for the whole group.",
    )  # fmt: skip

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        self.fields["role"].choices = roles_to_give(user)
        self.fields["locations"].queryset = Location.objects.visible_to(user, "staff.change").filter(is_open=True)


class InviteForm(RoleForm):
    full_name = line("Full name", 200)
    email = forms.EmailField(label="E-mail", help_text="The invitation goes there.")
    field_order = ["full_name", "email", "role", "locations"]


class WelcomeForm(forms.Form):
    password = forms.CharField(
        label="Password", strip=False, help_text="At least ten characters.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label="The same once more", strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean(self):
        data = self.cleaned_data
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", "The two passwords differ.")
        return data
