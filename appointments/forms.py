from datetime import datetime, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from appointments import marks
from appointments.models import AppointmentType
from appointments.timetable import at_work
from clinic import times
from clinic.errors import RuleBroken
from clinic.text import clean_line
from locations import access, nearby
from locations.models import Location, Practitioner, Room
from patients.models import Patient

ANYWHERE = "any"
NEAR = (20, 40, 60, 90)  # minutes on the way
FIRST_DAY, LAST_DAY = times.EARLIEST.date() + timedelta(days=1), times.LATEST.date() - timedelta(days=2)


def day_field(**options):
    return forms.DateField(
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[_within_reach],
        **options,
    )


def time_field(**options):
    return forms.TimeField(
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput({"type": "time", "step": 300}, format="%H:%M"),
        **options,
    )


def within_field(**options):
    """How far a clinic may lie from another one."""
    return forms.TypedChoiceField(
        choices=[("", "No other clinic"), *((n, f"Clinics within {n} minutes") for n in NEAR)], coerce=int,
        empty_value=None, required=False, **options,
    )  # fmt: skip


def reason_field(label, **options):
    return forms.CharField(label=label, max_length=500, required=False, validators=[clean_line], **options)


def _within_reach(day):
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError("The date is too far in the past or the future.", code="out_of_range")


class ZoneField(forms.CharField):
    """Which of the two is meant by a time in the hour that comes twice; hidden until a form asks."""

    def __init__(self, label="Which of the two"):
        super().__init__(label=label, max_length=10, required=False, widget=forms.HiddenInput)

    asked: tuple[tuple[str, str], ...] = ()  # the names of the two, with the words that offer them

    def ask(self, day, wall, passes):
        spoken = f"{wall:%I:%M %p}".removeprefix("0")
        self.help_text = f"On {day:%B} {day.day} the clock is put back, and {spoken} comes twice."
        first, second = passes
        self.asked = (first, f"The first, {spoken} {first}"), (second, f"The second, {spoken} {second}")
        self.widget = forms.Select({"class": "form-select"}, choices=[("", "Choose"), *self.asked])


def said_instant(form, day, wall, zone_name, *, at="time", which="zone", kept=None):
    """The instant of a day and a wall clock that were typed; a time the clock skips is an error of the field `at`.

    A time that comes twice is the one that is `kept`, or that of the two which the form's field `which` names; where it
    names none, it asks from then on, and None is returned.
    """
    passes = times.passes(day, wall, zone_name)
    if not passes:
        try:
            return times.exact(day, wall, zone_name)
        except RuleBroken as broken:
            form.add_error(at, broken.message)
            return None
    form.fields[which].ask(day, wall, passes)
    said = form.cleaned_data.get(which, "")
    if not said and kept in passes.values():
        return kept
    if said not in passes:
        names = " or ".join(passes)
        form.add_error(which, f"{wall:%I:%M %p} comes twice on this day: say {names}.".removeprefix("0"))
    return passes.get(said)


def _instant(form, location, *, kept=None):
    """That of the form's day and time at the location; None where they are not all there."""
    day, wall = form.cleaned_data.get("day"), form.cleaned_data.get("time")
    if not (location and day and wall is not None):
        return None
    return said_instant(form, day, wall, location.time_zone, kept=kept)


class ChooseCalendar(forms.Form):
    """Which days, how, and of whom; what is not said is today, as columns, by practitioner, everybody."""

    day = day_field(required=False)
    view = forms.ChoiceField(choices=[(v, v) for v in ("day", "week", "list")], required=False)
    days = forms.TypedChoiceField(choices=[(1, 1), (7, 7)], coerce=int, empty_value=1, required=False)
    by = forms.ChoiceField(choices=[(b, b) for b in ("practitioner", "room")], required=False)
    practitioner = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def clean_view(self):
        return self.cleaned_data["view"] or "day"

    def clean_by(self):
        return self.cleaned_data["by"] or "practitioner"

    def clean(self):
        if self.cleaned_data.get("view") != "list":
            self.cleaned_data["days"] = 1
        return self.cleaned_data


class FindPatient(forms.Form):
    q = forms.CharField(
        label="Find the patient", max_length=100, required=False, validators=[clean_line],
        help_text="Name, birth date like 3/14/1985, or the last digits of the phone.",
    )  # fmt: skip


class LengthField(forms.TypedChoiceField):
    """How long a visit takes, within the range of its type; left empty, the usual time."""

    usual = None

    def of_type(self, type):
        if type is None:
            return
        self.usual = type.minutes
        steps = range(-(-type.least_minutes // 5) * 5, type.most_minutes + 1, 5)
        others = sorted({*steps, type.least_minutes, type.most_minutes} - {type.minutes})
        named = ((minutes, f"{minutes} minutes") for minutes in others)
        self.choices = [("", f"{type.minutes} minutes, as usual"), *named]
        message = f"A visit of this type takes {type.least_minutes} to {type.most_minutes} minutes."
        self.error_messages["invalid_choice"] = message

    def valid_value(self, value):
        return super().valid_value(value) or value == f"{self.usual}"


class FindTimes(forms.Form):
    """What to look for; sent by GET, so that a search can be bookmarked and repeated."""

    type = forms.ModelChoiceField(AppointmentType.objects.all(), to_field_name="slug", label="Visit", empty_label=None)
    location = forms.ChoiceField(label="Where")
    within = within_field(label="And near it")
    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), required=False, empty_label="Anybody")
    from_day = day_field(label="From")
    minutes = LengthField(label="How long", coerce=int, required=False, empty_value=None)
    after = forms.CharField(required=False, max_length=marks.LONGEST, widget=forms.HiddenInput)  # times listed before

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        self.type = AppointmentType.objects.filter(slug=(data or {}).get("type", "").replace("\0", "")).first()
        self.fields["minutes"].of_type(self.type)
        self.places = list(Location.objects.visible_to(user, "appointment.create").filter(is_open=True))
        self.fields["location"].choices = [(p.slug, p.name) for p in self.places]
        if len(self.places) > 1:
            self.fields["location"].choices += [(ANYWHERE, "Any clinic I work at")]
        else:
            del self.fields["within"]
        self.fields["practitioner"].queryset = at_work.at(self.places)

    def clean_after(self):
        text = self.cleaned_data["after"]
        try:
            return marks.read(text) if text else None
        except RuleBroken:
            raise ValidationError("These later times cannot be found. Show the soonest again.") from None

    def _chosen(self):
        """The places to ask: the one that was named, with those near it where that is wished for."""
        slug, minutes = self.cleaned_data["location"], self.cleaned_data.get("within")
        named = [p for p in self.places if slug in {ANYWHERE, p.slug}]
        return nearby.within(minutes, named[0], self.places) if minutes and slug != ANYWHERE else named

    def clean(self):
        if "location" in self.cleaned_data:
            self.cleaned_data["locations"] = self._chosen()
        practitioner, where = self.cleaned_data.get("practitioner"), self.cleaned_data.get("locations")
        if practitioner and where and not at_work.works_at(practitioner, where):
            self.add_error("practitioner", f"{practitioner} does not work there. Choose another or “Anybody”.")
        return self.cleaned_data


class BookVisit(forms.Form):
    """One of the offered times, or an exact one typed in."""

    patient = forms.ModelChoiceField(Patient.objects.none(), widget=forms.HiddenInput)
    type = forms.ModelChoiceField(AppointmentType.objects.all(), to_field_name="slug", widget=forms.HiddenInput)
    minutes = forms.IntegerField(label="Length", required=False, min_value=5, max_value=480, widget=forms.HiddenInput)
    slot = forms.CharField(required=False, max_length=200)
    day = day_field(label="Date", required=False)
    time = time_field(required=False, help_text="Clock of the clinic.")
    zone = ZoneField()
    at = forms.ModelChoiceField(Location.objects.none(), to_field_name="slug", label="Clinic", required=False)
    practitioner_at = forms.ModelChoiceField(Practitioner.objects.none(), label="Practitioner", required=False)
    override_reason = reason_field(
        "Reason to override",
        help_text="Only to book against the working hours, or while further visits are held back; it is kept.",
    )

    def __init__(self, data=None, *, user, **options):
        super().__init__(data, **options)
        places = Location.objects.visible_to(user, "appointment.create").filter(is_open=True)
        self.fields["patient"].queryset = Patient.objects.visible_to(user)
        self.fields["at"].queryset = places
        self.fields["practitioner_at"].queryset = at_work.at(places)
        if not access.can(user, "appointment.override"):
            del self.fields["override_reason"]
        if not self.is_bound and self.initial.get("time"):
            self._ask_which()

    def _ask_which(self):
        """For a time that the page begins with: somebody pointed at it on the calendar."""
        try:
            day, wall, at = (self.fields[name].clean(self.initial.get(name)) for name in ("day", "time", "at"))
        except ValidationError:
            return
        if day and at and (passes := times.passes(day, wall, at.time_zone)):
            self.fields["zone"].ask(day, wall, passes)

    def clean(self):
        data = self.cleaned_data
        if data.get("slot"):
            self._take_slot(data["slot"])
        elif data.get("day") or data.get("time"):
            self._take_exact()
        elif not self.errors:
            raise ValidationError("Choose one of the times, or type an exact one.", code="no_time")
        return data

    def _take_slot(self, value):
        try:
            starts, slug, practitioner = value.split("|")
            starts_at = times.check_range(datetime.fromisoformat(starts), "slot")
            location = self.fields["at"].queryset.get(slug=slug)
            practitioner = at_work.at([location]).get(pk=int(practitioner))
        except (ValueError, TypeError, OverflowError, RuleBroken, Location.DoesNotExist, Practitioner.DoesNotExist):
            self.add_error("slot", "That time was not offered. Choose one from the list.")
            return
        self.cleaned_data |= {"starts_at": starts_at, "location": location, "practitioner": practitioner}

    def _take_exact(self):
        for name in ("day", "time", "at", "practitioner_at"):
            if name not in self.errors and self.cleaned_data.get(name) is None:
                self.add_error(name, "An exact time needs this too.")
        location, practitioner = self.cleaned_data.get("at"), self.cleaned_data.get("practitioner_at")
        if location and practitioner and not at_work.works_at(practitioner, [location]):
            self.add_error("practitioner_at", f"{practitioner} does not work at {location}.")
        starts_at = _instant(self, location)
        self.cleaned_data |= {"starts_at": starts_at, "location": location, "practitioner": practitioner}


class RoomField(forms.ModelChoiceField):
    def label_from_instance(self, room):
        return f"{room.location}: {room}"


class MoveVisit(forms.Form):
    """Where a visit is wanted: the clock is the one of the chosen location."""

    location = forms.ModelChoiceField(
        Location.objects.none(), to_field_name="slug", label="Clinic", required=False, empty_label=None
    )
    practitioner = forms.ModelChoiceField(Practitioner.objects.none(), empty_label=None)
    day = day_field(label="Date")
    time = time_field(help_text="Clock of the clinic.")
    zone = ZoneField()
    minutes = forms.IntegerField(required=False)
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    room = RoomField(Room.objects.none(), required=False, empty_label="Any room that is free")
    reason = reason_field("Why (optional)")
    override_reason = reason_field(
        "Reason to override", help_text="Only to go against working hours, notice or travel; it is kept with the visit."
    )

    def __init__(self, data=None, *, appointment, user, **options):
        at = appointment.local_start
        start = {
            "location": appointment.location.slug,
            "practitioner": appointment.practitioner_id,
            "day": at.date(),
            "time": at.time(),
            "minutes": appointment.lasts,
            "seen": appointment.sequence,
        }
        super().__init__(data, initial=start, **options)
        self.appointment = appointment
        if passes := times.passes(at.date(), at.time(), appointment.location.time_zone):
            self.fields["zone"].ask(at.date(), at.time(), passes)
            self.initial["zone"] = f"{at:%Z}"
        places = Location.objects.visible_to(user, "appointment.change").filter(is_open=True)
        kind = appointment.type
        self.fields["location"].queryset = places
        own = Q(pk=appointment.practitioner_id)  # whose hours may have ended since
        self.fields["practitioner"].queryset = at_work.at(places, or_else=own)
        rooms = Room.objects.filter(location__in=places, kind=kind.room_kind, is_open=True)
        self.fields["room"].queryset = rooms.select_related("location").order_by("location__name", "name")
        self.fields["minutes"].help_text = f"{kind.least_minutes} to {kind.most_minutes} for this type."
        if not access.can(user, "appointment.override"):
            del self.fields["override_reason"]

    def clean(self):
        data = self.cleaned_data
        data["location"] = data.get("location") or self.appointment.location
        data["starts_at"] = _instant(self, data["location"], kept=self.appointment.starts_at)
        if "seen" in self.errors:
            self.add_error(None, "It cannot be told which state of the visit this was decided by. Open the page again.")
        return data

    def show_as_now(self, appointment):
        """Keep all that was typed, but take the visit as seen as it is now: the page says how."""
        self.data = self.data.copy()
        self.data["seen"] = appointment.sequence

    def wanted(self):
        """The arguments of `booking.reschedule`; an unchanged length stays even where the type changed."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in ("location", "practitioner", "room", "starts_at", "reason")},
            "minutes": data["minutes"] if data["minutes"] != self.appointment.lasts else None,
            "override_reason": data.get("override_reason", ""),
            "expected_sequence": data["seen"],
        }


class TakeStep(forms.Form):
    STEPS = ("confirm", "arrive", "start", "complete", "cancel", "no-show")

    step = forms.ChoiceField(choices=[(s, s) for s in STEPS])
    reason = reason_field("Reason")
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def given(self):
        """As `visit_status.take` is asked; every page says which visit it shows, and a stale one changes nothing."""
        return {"reason": self.cleaned_data["reason"], "expected_sequence": self.cleaned_data["seen"]}


class UndoStep(forms.Form):
    event = forms.IntegerField(min_value=1, max_value=2**63 - 1)
