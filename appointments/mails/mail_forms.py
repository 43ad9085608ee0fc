from datetime import time

from django import forms
from django.core.exceptions import ValidationError

from appointments.mails.reminder_steps import MOST_STEPS, Step
from appointments.models import AppointmentType
from locations.forms import dress
from locations.mail_rules import Setting
from locations.models import Location


def half_hours():
    return [(f"{hour:02}:{minute:02}", time(hour, minute).strftime("%I:%M %p").lstrip("0")) for hour in range(24)
            for minute in (0, 30)]  # fmt: skip


class HoursForm(forms.Form):
    """When mails that can wait are not sent."""

    quiet_from = forms.TypedChoiceField(label="Quiet from", coerce=time.fromisoformat)
    quiet_until = forms.TypedChoiceField(label="until", coerce=time.fromisoformat)
    on_open_days_only = forms.BooleanField(
        label="Only on days when the clinic is open", required=False,
        help_text="Reminders move to before the quiet hours or the day off, other mails to after.",
    )  # fmt: skip

    def __init__(self, data=None, *, hours, **options):
        initial = {name: f"{getattr(hours, name):%H:%M}" for name in ("quiet_from", "quiet_until")}
        super().__init__(data, initial={**initial, "on_open_days_only": hours.on_open_days_only}, **options)
        for name in ("quiet_from", "quiet_until"):
            known = dict(half_hours())
            kept = initial[name]
            self.fields[name].choices = sorted((known | {kept: known.get(kept, kept)}).items())
        dress(self, ("quiet_from", "quiet_until"), "on_open_days_only")


class StepsForm(forms.Form):
    """A type of visit, or all, and its reminders: hours before, and a tick for those who have not confirmed."""

    type = forms.ModelChoiceField(
        AppointmentType.objects.all(), to_field_name="slug", required=False, label="Type of visit",
        empty_label="Every type without its own",
    )  # fmt: skip

    def __init__(self, data=None, *, steps=(), type=None, **options):
        super().__init__(data, initial={"type": type.slug if type else ""}, **options)
        steps = list(steps)
        for n in range(MOST_STEPS):
            step = steps[n] if n < len(steps) else None
            self.fields[f"hours_{n}"] = forms.IntegerField(
                label=f"Reminder {n + 1}: hours before", required=False, initial=step.hours if step else None,
                min_value=1, max_value=720,
            )  # fmt: skip
            self.fields[f"unconfirmed_{n}"] = forms.BooleanField(
                label="only if not confirmed", required=False, initial=bool(step and step.only_unconfirmed)
            )
        dress(self, "type", *((f"hours_{n}", f"unconfirmed_{n}") for n in range(MOST_STEPS)))

    def clean(self):
        for n in range(MOST_STEPS):
            if self.cleaned_data.get(f"unconfirmed_{n}") and not self.cleaned_data.get(f"hours_{n}"):
                self.add_error(f"hours_{n}", ValidationError("Say how many hours before."))
        return self.cleaned_data

    def steps(self) -> list[Step]:
        return [
            Step(hours, self.cleaned_data[f"unconfirmed_{n}"])
            for n in range(MOST_STEPS)
            if (hours := self.cleaned_data[f"hours_{n}"])
        ]


class RuleForm(forms.Form):
    """One kind of mail: on or off, and its number."""

    is_on = forms.BooleanField(label="Sent", required=False)
    number = forms.IntegerField(label="Number")

    def __init__(self, data=None, *, setting: Setting, **options):
        super().__init__(
            data, prefix=setting.kind.name, initial={"is_on": setting.is_on, "number": setting.number}, **options
        )
        self.setting = setting
        self.fields["is_on"].label = setting.kind.label
        self.fields["is_on"].widget.attrs["class"] = "form-check-input"
        self.fields["number"].widget.attrs["class"] = "form-control form-control-sm d-inline-block w-auto"
        self.fields["number"].min_value, self.fields["number"].max_value = setting.kind.least, setting.kind.most
        self.fields["number"].widget.attrs |= {"min": setting.kind.least, "max": setting.kind.most}
        self.fields["number"].label = f"{setting.kind.label}: number"

    @property
    def before(self):
        return self.setting.kind.what.partition("{number}")[0]

    @property
    def after(self):
        return self.setting.kind.what.partition("{number}")[2]


class PlaceForm(forms.Form):
    """Whose mails are set: the group's, or a clinic's own."""

    at = forms.ModelChoiceField(Location.objects.none(), to_field_name="slug", required=False, label="For")

    def __init__(self, data=None, *, places, whole):
        super().__init__(data)
        self.fields["at"].queryset = places
        self.fields["at"].widget.attrs["class"] = "form-select"
        self.fields["at"].empty_label = "All clinics" if whole else None
