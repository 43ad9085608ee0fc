"""Endpoints for series: a pattern is proposed visit by visit, and what was chosen is booked all or none."""

from dataclasses import asdict, replace

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from appointments import overriding
from appointments.api_shapes import DayField, against_json, named_id, one, override_field, valid
from appointments.models import Appointment, AppointmentType, Series
from appointments.recurring import placing, proposal_page, proposals, rearranging_api, series, standing
from appointments.recurring.patterns import FEWEST, MOST_STRETCHES, MOST_VISITS, MOST_WEEKS, Pattern, Stretch
from appointments.recurring.proposals import Choice, instead
from appointments.timetable import at_work
from appointments.visit_json import AppointmentOut
from clinic.errors import RuleBroken
from clinic.rest import IdField, InstantField, LineField, StrictSerializer, once
from locations import nearby
from locations.models import Location, Practitioner
from patients.models import Patient

SCOPES = {"this": series.THIS, "this_and_later": series.LATER, "all": series.ALL}


def _clock(**options):
    return serializers.TimeField(input_formats=["%H:%M"], help_text="Wall clock of the location.", **options)


def _weekdays(**options):
    child = serializers.IntegerField(min_value=0, max_value=6)
    return serializers.ListField(child=child, min_length=1, max_length=7, help_text="0 is Monday.", **options)


class StretchIn(StrictSerializer):
    visits_per_week = serializers.IntegerField(min_value=1, max_value=7)
    weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS)
    every_weeks = serializers.IntegerField(
        min_value=1, max_value=FEWEST, required=False, help_text="Over 1: one visit every so many weeks."
    )


class MoreIn(StrictSerializer):
    more = serializers.ListField(
        child=IdField(), required=False, max_length=MOST_VISITS + 1,
        help_text="Numbers of the visits for which more times are wanted, up to three weeks away.",
    )  # fmt: skip


class ProposeIn(MoreIn):
    patient = IdField()
    type = LineField(help_text="Slug of an appointment type.")
    location = LineField()
    practitioner = IdField()
    within = serializers.IntegerField(
        min_value=0, max_value=nearby.FURTHEST, required=False, help_text="Or at a location so many minutes away."
    )
    starts_on = DayField()
    stretches = StretchIn(many=True, min_length=1, max_length=MOST_STRETCHES)
    weekdays = _weekdays()
    at_time = _clock()
    checkpoint_after = serializers.IntegerField(
        min_value=1, max_value=MOST_VISITS, required=False, help_text="Re-evaluation after so many visits."
    )


class VisitChoiceIn(StrictSerializer):
    """A start with somebody, or `skip`: the reason for which the visit stays owed."""

    number = IdField()
    starts_at = InstantField(required=False)
    location = LineField(required=False, help_text="Slug, where it is not that of the series.")
    practitioner = IdField(required=False)
    skip = LineField(required=False, max_length=200)
    override_reason = override_field()


class BookSeriesIn(ProposeIn):
    visits = VisitChoiceIn(many=True, min_length=1, max_length=MOST_VISITS + 1)


class ProposeOwedIn(MoreIn):
    weekdays = _weekdays(required=False)
    at_time = _clock(required=False)
    stretch = serializers.IntegerField(min_value=1, max_value=MOST_STRETCHES, required=False)


class PlaceIn(ProposeOwedIn):
    visits = VisitChoiceIn(many=True, min_length=1, max_length=MOST_VISITS + 1)


class WaiveIn(StrictSerializer):
    number = IdField()
    reason = LineField(max_length=200)


class ProposeMoveIn(MoreIn):
    appointment = IdField(help_text="A visit of the series; the others go as many days on as this one.")
    scope = serializers.ChoiceField(choices=list(SCOPES))
    day = DayField()
    at_time = _clock()
    practitioner = IdField(required=False)


class MovedIn(StrictSerializer):
    """`sequence` is that of the proposal: a visit that somebody changed since is not moved."""

    appointment = IdField()
    sequence = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    starts_at = InstantField()
    practitioner = IdField()
    override_reason = override_field()


class MoveSeriesIn(ProposeMoveIn):
    """With `visits` to these times; without, just as wished or not at all."""

    visits = MovedIn(many=True, required=False, min_length=1, max_length=MOST_VISITS + 1)
    reason = LineField(required=False, allow_blank=True, max_length=200)


class CancelSeriesIn(StrictSerializer):
    appointment = IdField()
    scope = serializers.ChoiceField(choices=list(SCOPES))
    reason = LineField(max_length=200)
    still_wanted = serializers.BooleanField(default=True, help_text="Then the visits are owed until placed again.")


class LineOut(serializers.Serializer):
    """A wish, `why` it cannot be had as it is (empty: it can), the time proposed and the nearest others."""

    def to_representation(self, line):
        wish = line.wish
        return {
            "number": int(wish.key),
            "label": wish.label,
            "type": wish.type.slug,
            "sequence": wish.moving and wish.moving.sequence,
            "wanted_on": wish.day.isoformat(),
            "wanted_at": f"{wish.at_time:%H:%M}",
            "why": line.why,
            "proposed": line.slot and line.slot.as_json(),
            "others": [slot.as_json() for slot in line.others],
            "against": against_json(line),
        }


class OwedOut(serializers.Serializer):
    def to_representation(self, visit):
        return {
            "series": visit.series_id,
            "number": visit.number,
            "label": visit.label,
            "type": visit.type.slug,
            "wanted_on": visit.wanted_on.isoformat(),
            "wanted_at": f"{visit.wanted_at:%H:%M}",
            "skipped_reason": visit.skipped_reason,
            "patient": {"id": visit.series.patient_id, "name": visit.series.patient.name},
            "location": {"slug": visit.series.location.slug, "name": visit.series.location.name},
        }


class SeriesOut(serializers.Serializer):
    """A series as it was wanted, and how each of its visits stands."""

    def to_representation(self, found):
        pattern = found.as_pattern
        return {
            "id": found.pk,
            "title": found.title,
            "patient": {"id": found.patient_id, "name": found.patient.name},
            "type": found.type.slug,
            "location": {"slug": found.location.slug, "name": found.location.name},
            "practitioner": {"id": found.practitioner_id, "name": found.practitioner.name},
            "pattern": str(pattern),
            "starts_on": pattern.starts_on.isoformat(),
            "stretches": [asdict(stretch) for stretch in pattern.stretches],
            "weekdays": list(pattern.weekdays),
            "at_time": f"{pattern.at_time:%H:%M}",
            "checkpoint_after": pattern.checkpoint_after,
            "is_open": found.is_open,
            "visits": [self._visit(one) for one in standing.of(found)],
        }

    def _visit(self, stands):
        visit, made = stands.visit, stands.appointment
        return {
            "number": visit.number,
            "label": visit.label,
            "type": visit.type.slug,
            "wanted_on": visit.wanted_on.isoformat(),
            "state": stands.state,
            "reason": visit.waived_reason or visit.skipped_reason,
            "appointment": made and made.pk,
            "starts_at": made and made.local_start.isoformat(),
        }


class SeriesEndpoint(rearranging_api.Rearranging, viewsets.GenericViewSet):
    policies = {
        **rearranging_api.POLICIES,
        **dict.fromkeys(["list", "retrieve", "debts"], "appointment.read"),
        **dict.fromkeys(["propose", "create", "propose_owed", "place"], "appointment.create"),
        **dict.fromkeys(["propose_move", "move", "cancel", "waive"], "appointment.change"),
    }
    takes = {
        **rearranging_api.TAKES,
        "propose": ProposeIn, "create": BookSeriesIn, "propose_owed": ProposeOwedIn, "place": PlaceIn,
        "propose_move": ProposeMoveIn, "move": MoveSeriesIn, "cancel": CancelSeriesIn, "waive": WaiveIn,
    }  # fmt: skip
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self):
        return Series.objects.visible_to(self.request.user, self.policies[self.action]).with_names()

    @extend_schema(parameters=[OpenApiParameter("patient", OpenApiTypes.INT64)])
    def list(self, request):
        """Series in sight, the latest first; of one patient with `?patient=`."""
        rows = self.get_queryset()
        if (patient := named_id(request, "patient")) is not None:
            rows = rows.filter(patient=patient)
        return self.get_paginated_response([SeriesOut(found).data for found in self.paginate_queryset(rows)])

    def retrieve(self, request, pk):
        return Response(SeriesOut(self._get(pk)).data)

    @action(detail=False, methods=["get"])
    def debts(self, request):
        """Visits that were skipped, fell off the calendar or are overdue; the longest owed first."""
        page = self.paginate_queryset(series.debts(request.user))
        return self.get_paginated_response(OwedOut(page, many=True).data)

    @action(detail=False, methods=["post"])
    def propose(self, request):
        """Every visit of a pattern at once, each conflict beside the nearest free times. Books nothing."""
        said = valid(ProposeIn, request.data)
        asked = placing.new(**_wanted(said, request.user), nearby=self._nearby(said))
        return Response(_proposal(asked, said, request.user))

    def create(self, request):
        """Begin a series and book the chosen times, all or none; what is skipped stays owed.

        A refusal says in `fields`, by number, why a time cannot be had. A repeated `Idempotency-Key` returns the first
        answer.
        """
        said = valid(BookSeriesIn, request.data)
        chosen = said.pop("visits")
        wanted = _wanted(said, request.user)
        asked = placing.new(**wanted)
        choices = self._choices(chosen, {int(wish.key) for wish in asked.wishes})

        def act():
            with instead(asked, _keyed(choices)):
                made = series.book(choices=choices, days=asked.days, by=request.user, **wanted)
            return status.HTTP_201_CREATED, SeriesOut(made).data

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"], url_path="propose-owed")
    def propose_owed(self, request, pk):
        """Times for what the series owes, on its own days or on these. Books nothing."""
        said, found = valid(ProposeOwedIn, request.data), self._get(pk)
        return Response(_proposal(_owed(found, said), said, request.user))

    @action(detail=True, methods=["post"])
    def place(self, request, pk):
        """Book the chosen times of visits that are owed, all or none."""
        said, found = valid(PlaceIn, request.data), self._get(pk)
        chosen = said.pop("visits")

        def act():
            asked = _owed(found, said)
            choices = self._choices(chosen)
            days = {number: day for number, day in asked.days.items() if number in choices}
            with instead(asked, _keyed(choices)):
                booked = series.place(found, choices, pattern=asked.pattern, days=days, by=request.user)
            return status.HTTP_200_OK, {"booked": [AppointmentOut(visit).data for visit in booked]}

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def waive(self, request, pk):
        """Let a visit that is owed go: it is no longer wanted."""
        said, found = valid(WaiveIn, request.data), self._get(pk)
        visit = one(found.visits.select_related("series__location"), "number", number=min(said["number"], 32_000))
        series.waive(visit, by=request.user, reason=said["reason"])
        return Response(SeriesOut(found).data)

    @action(detail=True, methods=["post"], url_path="propose-move")
    def propose_move(self, request, pk):
        """Where this visit, it and later ones, or all that are ahead could go; `number` is the appointment's id."""
        said = valid(ProposeMoveIn, request.data)
        _, question = self._moved(pk, said)
        return Response(_proposal(question, said, request.user))

    @action(detail=True, methods=["post"])
    def move(self, request, pk):
        """Move visits of the series together, all or none; never those outside the scope."""
        said = valid(MoveSeriesIn, request.data)
        visit, question = self._moved(pk, said)
        choices = _moves(said["visits"], question) if "visits" in said else None
        seen = {wish.key: wish.moving.sequence for wish in question.wishes}
        seen |= {str(each["appointment"]): each["sequence"] for each in said.get("visits", ())}

        def act():
            chosen = choices or _as_wished(question)
            with instead(question, chosen):
                moved = series.move(visit, chosen, seen=seen, by=request.user, reason=said.get("reason", ""))
            return status.HTTP_200_OK, {"moved": [AppointmentOut(one).data for one in moved]}

        code, body = once(request, act)
        return Response(body, status=code)

    @action(detail=True, methods=["post"])
    def cancel(self, request, pk):
        """Cancel this visit, it and later ones, or all that are ahead; still wanted, they are owed."""
        said = valid(CancelSeriesIn, request.data)
        visit = self._member(self._get(pk), said["appointment"])

        def act():
            cancelled = series.cancel(
                visit, scope=SCOPES[said["scope"]], by=request.user, reason=said["reason"],
                still_wanted=said["still_wanted"],
            )  # fmt: skip
            return status.HTTP_200_OK, {"cancelled": [AppointmentOut(one).data for one in cancelled]}

        code, body = once(request, act)
        return Response(body, status=code)

    def _get(self, pk):
        return get_object_or_404(self.get_queryset(), pk=pk)

    def _mine(self):
        return Location.objects.visible_to(self.request.user, "appointment.create").filter(is_open=True)

    def _nearby(self, said):
        if "within" not in said:
            return []
        return nearby.within(said["within"], one(self._mine(), "location", slug=said["location"]), self._mine())

    def _choices(self, chosen, numbers=None):
        named = any("location" in each for each in chosen)
        return _choices(chosen, {place.slug: place for place in self._mine()} if named else {}, numbers)

    def _member(self, found, pk):
        rows = Appointment.objects.visible_to(self.request.user, "appointment.change").with_names().with_series()
        return one(rows, "appointment", pk=pk, series_visit__series=found)

    def _moved(self, pk, said):
        visit = self._member(self._get(pk), said["appointment"])
        person = said.get("practitioner")
        person = person and one(_people(), "practitioner", pk=person)
        members = series.members(visit, SCOPES[said["scope"]])
        wish = {"day": said["day"], "at_time": placing.same_pass(visit, said["at_time"]), "practitioner": person}
        return visit, placing.moved(visit, members, **wish)


def _people():
    return Practitioner.objects.select_related("user").filter(is_active=True)


def _wanted(said, user) -> dict:
    """What `placing.new` and `series.begin` take."""
    checkpoint = said.get("checkpoint_after")
    location = one(Location.objects.visible_to(user, "appointment.create"), "location", slug=said["location"])
    return {
        "patient": one(Patient.objects.visible_to(user), "patient", pk=said["patient"]),
        "type": one(AppointmentType.objects, "type", slug=said["type"]),
        "location": location,
        "practitioner": one(at_work.at([location]), "practitioner", pk=said["practitioner"]),
        "checkpoint_type": _checkpoint_type() if checkpoint else None,
        "pattern": Pattern(
            starts_on=said["starts_on"],
            stretches=tuple(Stretch(**stretch) for stretch in said["stretches"]),
            weekdays=tuple(sorted(set(said["weekdays"]))),
            at_time=said["at_time"],
            checkpoint_after=checkpoint,
        ),
    }


def _checkpoint_type():
    found = placing.checkpoint_type()
    if found is None:
        raise ValidationError({"checkpoint_after": ["There is no appointment type for the re-evaluation."]})
    return found


def _owed(found, said) -> placing.Asked:
    pattern = found.as_pattern
    return placing.owed(
        found,
        weekdays=said.get("weekdays", pattern.weekdays),
        at_time=said.get("at_time", pattern.at_time),
        stretch=said.get("stretch"),
    )


def _proposal(question, said, by) -> dict:
    more = {str(number) for number in said.get("more", ())}
    if not more <= {wish.key for wish in question.wishes}:
        raise ValidationError({"more": ["There is no such visit among those proposed."]})
    lines = proposal_page.offered(replace(question, more=more).propose(), by)
    granted = sum(bool(line.slot) and not line.why for line in lines)
    none = sum(line.slot is None for line in lines)
    return {
        "visits": [LineOut(line).data for line in lines],
        "summary": {"as_wished": granted, "elsewhere": len(lines) - granted - none, "none": none},
    }


def _choices(chosen, places, numbers) -> dict[int, Choice]:
    """By number; each once, and where `numbers` are given, all of them. `places` are locations by their slugs."""
    found, faults = {}, {}
    people = _people().in_bulk({one["practitioner"] for one in chosen if "practitioner" in one})
    for each in chosen:
        number, person = each["number"], people.get(each.get("practitioner"))
        if number in found or (numbers is not None and number not in numbers):
            faults[str(number)] = "There is no such visit, or it is named twice."
        elif each.get("location") not in {None, *places}:
            faults[str(number)] = "There is no such location."
        elif "skip" in each and not {"starts_at", "practitioner", overriding.FIELD} & set(each):
            found[number] = Choice(skip_reason=each["skip"])
        elif "starts_at" in each and person and "skip" not in each:
            place = places.get(each.get("location"))
            found[number] = Choice(each["starts_at"], person, "", place, each.get("override_reason"))
        else:
            faults[str(number)] = "Give `starts_at` and a practitioner of the clinic, or `skip` with the reason."
    for number in sorted((numbers or set()) - set(found) - {int(n) for n in faults}):
        faults[str(number)] = "Choose a time, or skip the visit."
    if faults:
        raise RuleBroken("Choose once for every visit.", code="invalid", fields=faults, status=400)
    return found


def _keyed(choices: dict[int, Choice]) -> dict[str, Choice]:
    return {str(number): choice for number, choice in choices.items()}


def _moves(chosen, question) -> dict[str, Choice]:
    known = {wish.key for wish in question.wishes}
    people = _people().in_bulk({one["practitioner"] for one in chosen})
    faults = {
        str(each["appointment"]): "There is no such visit in the scope, or no such practitioner."
        for each in chosen
        if str(each["appointment"]) not in known or each["practitioner"] not in people
    }
    if faults:
        raise RuleBroken("Choose among the visits of the scope.", code="invalid", fields=faults, status=400)
    return {
        str(each["appointment"]): Choice(each["starts_at"], people[each["practitioner"]],
                                         override_reason=each.get("override_reason"))
        for each in chosen
    }  # fmt: skip


def _as_wished(question: proposals.Question) -> dict[str, Choice]:
    lines = question.propose()
    if faults := {line.wish.key: line.why for line in lines if line.why or not line.slot}:
        message = f"Nothing was changed: {len(faults)} of {len(lines)} times cannot be had."
        raise RuleBroken(message, code="conflicts", fields=faults)
    return {line.wish.key: Choice(line.slot.starts_at, line.slot.practitioner) for line in lines}


ENDPOINTS = [("series", SeriesEndpoint, "series")]
