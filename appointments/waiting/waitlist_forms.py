from datetime import datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from appointments.availability import Slot
from appointments.forms import day_field, time_field, within_field
from appointments.models import Appointment, AppointmentType, WaitlistEntry
from appointments.recurring.series_forms import weekdays_field
from appointments.timetable import at_work
from appointments.waiting.waitlist import Asked
from appointments.waiting.waitlist_page import STATES, WAITING
from appointments.wishes import PARTS, Wishes
from clinic import times
from clinic.errors import RuleBroken
from clinic.text import clean_line
from locations import nearby
from locations.forms import dress
from locations.models import Location, Practitioner

ANYWHERE = "any"


class FilterWaitlist(forms.Form):
    """Which of those who wait; what is not said, or is nonsense, does not narrow the list."""

    location = forms.ChoiceField(label="Would come to", required=False)
    type = forms.ModelChoiceField(
        AppointmentType.objects.all(), to_field_name="slug", label="For", required=False, empty_label="Any visit"
    )
    urgency = forms.TypedChoiceField(
        label="Urgency", required=False, coerce=int, empty_value=None,
        choices=[("", "Any urgency"), *reversed(WaitlistEntry.Urgency.choices)],
    )  # fmt: skip
    state = forms.ChoiceField(choices=list(STATES.items()), required=False, widget=forms.HiddenInput)

    def __init__(self, data, *, places, here):
        data = data.copy()
        data.setdefault("location", here.slug if here else ANYWHERE)
        super().__init__(data)
        self.places = places
        one_by_one = [(place.slug, place.name) for place in places]
        everywhere = [] if len(places) == 1 else [(ANYWHERE, "Any of my clinics")]
        self.fields["location"].choices = everywhere + one_by_one
        self.is_valid()

    def asked(self):
        """What `waitlist_page.entries` narrows by."""
        slug = self.cleaned_data.get("location", ANYWHERE)
        places = None if slug == ANYWHERE else [place for place in self.places if place.slug == slug]
        return {
            "locations": places,
            "type": self.cleaned_data.get("type"),
            "urgency": self.cleaned_data.get("urgency"),
        }

    @property
    def shown_state(self):
        return self.cleaned_data.get("state") or WAITING


class RowsField(forms.ModelMultipleChoiceField):
    """Django gives the numbers of a multiple choice to the database as they are, and SQLite cannot take them all."""

    def clean(self, value):
        if not all(str(one).isdecimal() and len(str(one)) < 19 for one in value or ()):
            raise ValidationError("Choose from the list.", code="invalid_choice")
        return super().clean(value)


class EntryForm(forms.Form):
    """What a patient waits for; nothing chosen means any. `asked()` is what the rules take."""

    type = forms.ModelChoiceField(
        AppointmentType.objects.all(), to_field_name="slug", label="Waits for", empty_label=None
    )
    sooner_than = forms.ModelChoiceField(
        Appointment.objects.none(), label="Instead of a visit", required=False, empty_label="No: a further visit",
        help_text="An earlier day for a visit they have. When they accept a time, that visit moves there.",
    )  # fmt: skip
    urgency = forms.TypedChoiceField(
        label="Urgency", coerce=int, choices=WaitlistEntry.Urgency.choices, widget=forms.RadioSelect, initial=0
    )
    locations = forms.ModelMultipleChoiceField(
        Location.objects.none(), to_field_name="slug", label="Clinics", required=False,
        widget=forms.CheckboxSelectMultiple, help_text="None ticked: any clinic where the patient is known.",
    )  # fmt: skip
    within = within_field(label="And near those ticked")
    practitioners = RowsField(
        Practitioner.objects.none(), label="Practitioners", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: anybody.",
    )  # fmt: skip
    weekdays = weekdays_field(label="Days", required=False, help_text="None ticked: any day.")
    windows = forms.MultipleChoiceField(
        label="Times of the day", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: any time. By the clock of the clinic.",
    )  # fmt: skip
    starts = time_field(label="Or from", required=False)
    ends = time_field(label="until", required=False)
    from_day = day_field(label="Not before", required=False, help_text="Empty: from today on.")
    until_day = day_field(label="Not after", required=False, help_text="Empty: however long it takes.")
    note = forms.CharField(label="Note", max_length=300, required=False, validators=[clean_line])

    def __init__(self, data=None, *, user, patient, entry=None, **options):
        usual = _as_typed(entry) if entry else {}
        super().__init__(data, initial={**usual, **options.pop("initial", {})}, **options)
        mine = Location.objects.visible_to(user, "appointment.create").filter(is_open=True)
        named = list(entry.locations.all()) if entry else []
        self.fields["locations"].queryset = mine | Location.objects.filter(pk__in=[place.pk for place in named])
        wished = Q(waitlist_entries=entry) if entry else None
        self.fields["practitioners"].queryset = at_work.at(mine, or_else=wished)
        self.fields["windows"].choices = _windows(usual.get("windows", ()))
        self._visits_ahead(user, patient, entry)
        first = ("type", "sooner_than") if "sooner_than" in self.fields else ("type", "note")
        dress(
            self, first, ("urgency", "within"), ("locations", "practitioners"), "weekdays", "windows",
            ("starts", "ends"), ("from_day", "until_day"), *([] if "note" in first else ["note"]),
        )  # fmt: skip

    def _visits_ahead(self, user, patient, entry):
        """An entry is for a further visit or for one there is: that stays as it is."""
        ahead = Appointment.objects.visible_to(user, "appointment.create").filter(
            patient=patient, status__in=["booked", "confirmed"], starts_at__gt=times.now()
        )
        if entry or not ahead.exists():
            del self.fields["sooner_than"]
        else:
            self.fields["sooner_than"].queryset = ahead.with_names()
            self.fields["sooner_than"].label_from_instance = _visit

    def clean(self):
        data = self.cleaned_data
        starts, ends = data.get("starts"), data.get("ends")
        if (starts is None) != (ends is None) and not {"starts", "ends"} & set(self.errors):
            self.add_error("starts" if starts is None else "ends", "Fill in both, or neither.")
        return data

    def asked(self):
        data = self.cleaned_data
        windows = [tuple(map(time.fromisoformat, value.split("-"))) for value in data["windows"]]
        if data.get("starts") is not None:
            windows.append((data["starts"], data["ends"]))
        data = {**data, "locations": self._places()}
        names = ("type", "locations", "practitioners", "from_day", "until_day", "urgency", "note")
        return Asked(**{name: data[name] for name in names}, wishes=Wishes(tuple(data["weekdays"]), tuple(windows)))

    def _places(self):
        """Those that are ticked, with those near them where that is wished for; kept as the clinics they are now."""
        ticked, minutes = list(self.cleaned_data["locations"]), self.cleaned_data.get("within")
        mine = self.fields["locations"].queryset
        near = [place for one in ticked for place in nearby.within(minutes, one, mine)] if minutes else []
        return list(dict.fromkeys([*ticked, *near]))

    def refuse(self, broken):
        """A refusal at its fields; what the form calls otherwise, or has not, is said above it."""
        for name, said in (broken.fields or {None: broken.message}).items():
            self.add_error(name if name in self.fields else None, said)


class OfferTime(forms.Form):
    """One of the free times, offered to those who are ticked, or booked for the one it was looked up for."""

    slot = forms.CharField(max_length=200, widget=forms.HiddenInput)
    entries = RowsField(WaitlistEntry.objects.none(), required=False)
    minutes = forms.IntegerField(label="Minutes to decide", min_value=15, max_value=720, required=False)

    def __init__(self, data, *, user, type):
        super().__init__(data)
        self.type = type
        self.places = Location.objects.visible_to(user, "appointment.create").filter(is_open=True)
        waiting = WaitlistEntry.objects.visible_to(user, "appointment.create").waiting()
        self.fields["entries"].queryset = waiting.filter(type=type).with_wishes()

    def clean_slot(self):
        try:
            starts, slug, practitioner = self.cleaned_data["slot"].split("|")
            starts_at = times.check_range(datetime.fromisoformat(starts), "slot")
            if starts_at.tzinfo is None or not practitioner.isdecimal():
                raise ValueError(starts)
            place = self.places.get(slug=slug)
            person = at_work.at([place]).get(pk=int(practitioner[:18]))
        except (ValueError, TypeError, OverflowError, RuleBroken, Location.DoesNotExist, Practitioner.DoesNotExist):
            raise ValidationError("That time was not offered. Choose one from the list.", code="no_time") from None
        return Slot(starts_at, starts_at + timedelta(minutes=self.type.minutes), place, person)


class TakeOff(forms.Form):
    reason = forms.CharField(label="Why", max_length=300, required=False, validators=[clean_line])


class AnswerOffer(forms.Form):
    STEPS = ("accept", "decline", "take-back")

    step = forms.ChoiceField(choices=[(step, step) for step in STEPS])


def _visit(visit):
    return f"{visit.type}, {times.spoken(visit.starts_at, visit.location.time_zone)}"


def _windows(chosen):
    """The parts of the day, and what was chosen before and is none of them."""
    parts = {_value(part): f"{name.capitalize()} ({_span(part)})" for name, part in PARTS.items()}
    others = {value: _span(tuple(map(time.fromisoformat, value.split("-")))) for value in chosen if value not in parts}
    return [*parts.items(), *others.items()]


def _value(window):
    return f"{window[0]:%H:%M}-{window[1]:%H:%M}"


def _span(window):
    return str(Wishes((), (window,))) if window not in PARTS.values() else _CLOCK[window]


_CLOCK = {PARTS["mornings"]: "until noon", PARTS["afternoons"]: "noon to 5 PM", PARTS["evenings"]: "from 5 PM"}


def _as_typed(entry):
    wishes = entry.as_wishes
    return {
        "type": entry.type.slug,
        "urgency": entry.urgency,
        "locations": [place.slug for place in entry.locations.all()],
        "practitioners": [person.pk for person in entry.practitioners.all()],
        "weekdays": list(wishes.weekdays),
        "windows": [_value(window) for window in wishes.windows],
        "from_day": entry.from_day,
        "until_day": entry.until_day,
        "note": entry.note,
    }
