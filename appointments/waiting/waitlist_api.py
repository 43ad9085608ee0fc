"""Endpoints for the waitlist and its offers."""

from datetime import timedelta

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from appointments.api_shapes import DayField, IdsField, named_id, one, valid
from appointments.availability import Slot
from appointments.models import Appointment, AppointmentType, Offer, WaitlistEntry
from appointments.visit_json import AppointmentOut
from appointments.waiting import matching, offers, waitlist, waitlist_page
from appointments.waiting.offer_json import OfferOut
from appointments.wishes import MOST_WINDOWS, Wishes
from clinic.rest import IdField, InstantField, LineField, StrictSerializer, once
from locations import access, nearby
from locations.models import Location, Practitioner
from patients.models import Patient

URGENCY = {urgency.name.lower(): urgency.value for urgency in WaitlistEntry.Urgency}


class WindowField(serializers.ListField):
    """From and until, on the wall clock of the clinic; until 00:00 is the end of the day."""

    def __init__(self, **kwargs):
        super().__init__(child=serializers.TimeField(input_formats=["%H:%M"]), min_length=2, max_length=2, **kwargs)


class WishesIn(StrictSerializer):
    """What is left out means any; `near` and `within` name the clinics by their way from one."""

    type = LineField(help_text="Slug of an appointment type.")
    locations = serializers.ListField(child=LineField(), max_length=100, required=False)
    near = LineField(required=False, help_text="Slug of a location, with `within`.")
    within = serializers.IntegerField(required=False, help_text="Minutes on the way from `near`.")
    practitioners = IdsField(required=False)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), max_length=7, required=False, help_text="0 is Monday."
    )
    windows = serializers.ListField(child=WindowField(), max_length=MOST_WINDOWS, required=False)
    from_day = DayField(required=False)
    until_day = DayField(required=False, allow_null=True)
    urgency = serializers.ChoiceField(choices=list(URGENCY), required=False)
    note = LineField(required=False, allow_blank=True, max_length=300)


class EntryIn(WishesIn):
    patient = IdField()
    sooner_than = IdField(required=False, help_text="A visit of theirs for which they want an earlier day.")


class ChangeIn(WishesIn):
    type = LineField(required=False)


class TimeIn(StrictSerializer):
    starts_at = InstantField()
    practitioner = IdField()
    location = LineField()


class OfferIn(TimeIn):
    minutes = serializers.IntegerField(min_value=15, max_value=720, required=False, help_text="To decide.")
    also = IdsField(
        required=False, help_text="Other entries that are offered the same time: the first to accept has it."
    )


class TakeOffIn(StrictSerializer):
    reason = LineField(required=False, allow_blank=True, max_length=300)


class AnswerIn(StrictSerializer):
    pass


class EntryOut(serializers.Serializer):
    """Somebody on the list; `why` says in words where they stand in the order, `offers` what they were offered."""

    def to_representation(self, row):
        entry, wishes = row.entry, row.entry.as_wishes
        return {
            "id": entry.pk,
            "patient": {"id": entry.patient_id, "name": entry.patient.name},
            "type": entry.type.slug,
            "urgency": WaitlistEntry.Urgency(entry.urgency).name.lower(),
            "locations": sorted(place.slug for place in entry.locations.all()),
            "practitioners": sorted(person.pk for person in entry.practitioners.all()),
            **wishes.as_json(),
            "from_day": entry.from_day.isoformat(),
            "until_day": entry.until_day and entry.until_day.isoformat(),
            "sooner_than": entry.sooner_than_id,
            "note": entry.note,
            "why": row.why,
            "added_at": row.added_on.isoformat(),
            "by": entry.by_whom,
            "outcome": entry.outcome,
            "appointment": entry.visit_id,
            "offers": [OfferOut(line.offer).data for line in row.offers],
        }


class Waitlist(viewsets.GenericViewSet):
    policies = {
        **dict.fromkeys(["list", "retrieve"], "appointment.read"),
        **dict.fromkeys(["create", "partial_update", "times", "offers", "book", "take_off"], "appointment.create"),
    }
    takes = {
        "create": EntryIn, "partial_update": ChangeIn, "offers": OfferIn, "book": TimeIn, "take_off": TakeOffIn,
    }  # fmt: skip
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        return WaitlistEntry.objects.visible_to(self.request.user, self.policies[self.action])

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=list(waitlist_page.STATES), description="`waiting` if not said."),
            OpenApiParameter("location", description="Slug: who would come there."),
            OpenApiParameter("type", description="Slug of an appointment type."),
            OpenApiParameter("urgency", enum=list(URGENCY)),
            OpenApiParameter("patient", OpenApiTypes.INT64),
        ]
    )
    def list(self, request):
        """Who waits, in the order in which a free time is offered."""
        given, user = request.query_params, request.user
        state, urgency = given.get("state", waitlist_page.WAITING), given.get("urgency")
        if state not in waitlist_page.STATES:
            raise ValidationError({"state": [f"One of {', '.join(waitlist_page.STATES)}."]})
        if urgency is not None and urgency not in URGENCY:
            raise ValidationError({"urgency": [f"One of {', '.join(URGENCY)}."]})
        places = None
        if slug := given.get("location"):
            places = [one(Location.objects.visible_to(user), "location", slug=slug)]
        kind = one(AppointmentType.objects, "type", slug=given["type"]) if given.get("type") else None
        found = waitlist_page.entries(
            user, state=state, locations=places, type=kind, urgency=URGENCY.get(urgency) if urgency else None
        )
        if (patient := named_id(request, "patient")) is not None:
            found = found.filter(patient=patient)
        page = self.paginate_queryset(found)
        return self.get_paginated_response([_entry(row) for row in waitlist_page.rows(page, user)])

    def retrieve(self, request, pk):
        return Response(self._out(pk))

    def create(self, request):
        """Put a patient on the list. Send an `Idempotency-Key` and a repeat returns the first answer."""
        said = valid(EntryIn, request.data)
        user = request.user
        patient = one(Patient.objects.visible_to(user), "patient", pk=said.pop("patient"))
        sooner = said.pop("sooner_than", None)
        if sooner:
            visits = Appointment.objects.visible_to(user, "appointment.create").select_related("type")
            sooner = one(visits, "sooner_than", pk=sooner, patient=patient)
        asked = waitlist.Asked(**_asked(said, user))

        def act():
            made = waitlist.add(patient, asked, by=user, sooner_than=sooner)
            return status.HTTP_201_CREATED, self._out(made.pk)

        code, body = once(request, act)
        return Response(body, status=code)

    def partial_update(self, request, pk):
        """Change what is waited for; what is left out stays, and so does the place in the order."""
        entry = self._get(pk)
        said = _asked(valid(ChangeIn, request.data), request.user, entry)
        waitlist.change(entry, waitlist.Asked(**said), by=request.user)
        return Response(self._out(pk))

    @extend_schema(parameters=[OpenApiParameter("limit", OpenApiTypes.INT, description="At most 50; 8.")])
    @action(detail=True, methods=["get"])
    def times(self, request, pk):
        """The soonest free times within the wishes, at clinics where the caller may book."""
        limit = serializers.IntegerField(min_value=1, max_value=50).run_validation(request.query_params.get("limit", 8))
        entry = self._get(pk)
        mine = access.location_ids(request.user, "appointment.create")
        places = [place for place in entry.places if mine is None or place.pk in mine]
        slots = matching.soonest(entry, places, limit=limit, to_answer=False)
        return Response({"slots": [slot.as_json() for slot in slots]})

    @action(detail=True, methods=["post"])
    def offers(self, request, pk):
        """Hold a time and offer it, to this entry or to a few: the first to accept has it, the others are told."""
        said, entry = valid(OfferIn, request.data), self._get(pk)
        slot = _slot(said, entry, request.user)
        also = [number for number in said.get("also", []) if number != entry.pk]
        others = list(self.get_queryset().filter(pk__in=also, type=entry.type).with_wishes())
        if len(others) != len(also):
            raise ValidationError({"also": ["Name entries in sight that wait for the same type."]})
        minutes = said.get("minutes") or offers.rules_of(slot.location).minutes

        def act():
            made = offers.make([entry, *others], slot, minutes=minutes, by=request.user)
            return status.HTTP_201_CREATED, {"offers": [OfferOut(offer).data for offer in made]}

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def book(self, request, pk):
        """Book a time without an offer: the patient is on the phone."""
        said, entry = valid(TimeIn, request.data), self._get(pk)
        slot = _slot(said, entry, request.user)

        def act():
            return status.HTTP_201_CREATED, AppointmentOut(offers.book(entry, slot, by=request.user)).data

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"], url_path="take-off")
    def take_off(self, request, pk):
        """Take a patient off the list; an offer that is out ends with it."""
        said = valid(TakeOffIn, request.data)
        offers.take_off(self._get(pk), by=request.user, reason=said.get("reason", ""))
        return Response(self._out(pk))

    def _get(self, pk):
        return get_object_or_404(self.get_queryset().with_wishes(), pk=pk)

    def _out(self, pk):
        self._get(pk)
        return _entry(waitlist_page.row(int(pk), self.request.user))


class Offers(viewsets.GenericViewSet):
    policies = {"list": "appointment.read", **dict.fromkeys(["accept", "decline", "take_back"], "appointment.create")}
    takes = dict.fromkeys(["accept", "decline", "take_back"], AnswerIn)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        rows = Offer.objects.visible_to(self.request.user, self.policies[self.action])
        return rows.select_related("entry__patient", "location", "practitioner__user")

    @extend_schema(parameters=[OpenApiParameter("patient", OpenApiTypes.INT64)])
    def list(self, request):
        """What was offered, the latest first, and what became of it."""
        rows = self.get_queryset()
        if (patient := named_id(request, "patient")) is not None:
            rows = rows.filter(entry__patient=patient)
        return self.get_paginated_response([OfferOut(offer).data for offer in self.paginate_queryset(rows)])

    @action(detail=True, methods=["post"])
    def accept(self, request, pk):
        """The patient takes the time: answers with the appointment, the same one when it is sent again."""
        valid(AnswerIn, request.data)
        visit = offers.accept(self._get(pk), by=request.user)
        return Response(AppointmentOut(Appointment.objects.with_names().get(pk=visit.pk)).data)

    @action(detail=True, methods=["post"])
    def decline(self, request, pk):
        """It does not suit; they keep their place."""
        return self._end(request, pk, offers.decline)

    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request, pk):
        """The clinic needs the time for something else; who was written to is told."""
        return self._end(request, pk, offers.take_back)

    def _end(self, request, pk, act):
        valid(AnswerIn, request.data)
        act(self._get(pk), by=request.user)
        return Response(OfferOut(self._get(pk)).data)

    def _get(self, pk):
        return get_object_or_404(self.get_queryset(), pk=pk)


def _entry(row):
    return EntryOut(row).data


def _slot(said, entry, user) -> Slot:
    people = Practitioner.objects.select_related("user")
    places = Location.objects.visible_to(user, "appointment.create")
    ends_at = said["starts_at"] + timedelta(minutes=entry.type.minutes)
    return Slot(
        said["starts_at"],
        ends_at,
        one(places, "location", slug=said["location"]),
        one(people, "practitioner", pk=said["practitioner"]),
    )


def _asked(said, user, entry=None) -> dict:
    """The arguments of `waitlist.Asked`; what is left out is that of the entry, or any."""
    kept = _kept(entry) if entry else {}
    wishes = kept.pop("wishes", Wishes())
    found = {name: said[name] for name in ("from_day", "until_day", "note") if name in said}
    if "type" in said:
        found["type"] = one(AppointmentType.objects, "type", slug=said["type"])
    if "urgency" in said:
        found["urgency"] = URGENCY[said["urgency"]]
    if "locations" in said or "near" in said or "within" in said:
        found["locations"] = _places(said, user, kept.get("locations", []))
    if "practitioners" in said:
        people = Practitioner.objects.visible_to(user).select_related("user")
        found["practitioners"] = [one(people, "practitioners", pk=pk) for pk in said["practitioners"]]
    weekdays = tuple(sorted(set(said["weekdays"]))) if "weekdays" in said else wishes.weekdays
    windows = tuple(map(tuple, said["windows"])) if "windows" in said else wishes.windows
    return {**kept, **found, "wishes": Wishes(weekdays, windows)}


def _places(said, user, before) -> list[Location]:
    mine = Location.objects.visible_to(user, "appointment.create").filter(is_open=True)
    if "locations" in said:
        mine = mine | Location.objects.filter(pk__in=[place.pk for place in before])
        found = [one(mine, "locations", slug=slug) for slug in dict.fromkeys(said["locations"])]
    else:
        found = list(mine)
    if ("near" in said) != ("within" in said):
        raise ValidationError({"within" if "near" in said else "near": ["`near` and `within` go together."]})
    if "near" in said:
        found = nearby.within(said["within"], one(mine, "near", slug=said["near"]), found)
    return found


def _kept(entry) -> dict:
    names = ("type", "from_day", "until_day", "urgency", "note")
    return {
        **{name: getattr(entry, name) for name in names},
        "locations": list(entry.locations.all()),
        "practitioners": list(entry.practitioners.all()),
        "wishes": entry.as_wishes,
    }


ENDPOINTS = [("waitlist", Waitlist, "waitlist"), ("offers", Offers, "offer")]
