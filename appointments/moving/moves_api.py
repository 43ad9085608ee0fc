"""Endpoints for moving many visits at once: what is proposed for each with the mail it makes, and the move."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from appointments.api_shapes import DayField, against_json, one, override_field, valid
from appointments.models import Appointment
from appointments.moving import bulk_moves, move_previews
from appointments.moving.bulk_moves import Span
from appointments.recurring import proposal_page
from appointments.recurring.proposals import Choice
from appointments.visit_json import AppointmentOut
from clinic.rest import IdField, InstantField, LineField, StrictSerializer, once
from locations.models import Location, Practitioner


class AskIn(StrictSerializer):
    """Whose visits on which local days, both included, and where they should go."""

    practitioner = IdField(required=False)
    location = serializers.ListField(child=LineField(), required=False, help_text="Slugs; every one in sight.")
    first = DayField()
    last = DayField()
    only_stuck = serializers.BooleanField(
        default=False, help_text="Those that cannot take place as booked; else the practitioner is not there."
    )
    to = serializers.ChoiceField([bulk_moves.ANYONE, bulk_moves.SAME], default=bulk_moves.ANYONE)
    to_practitioner = IdField(required=False)
    to_location = LineField(required=False)


class OneMoveIn(StrictSerializer):
    """`sequence` is that of the preview: a visit that somebody changed since is not moved."""

    appointment = IdField()
    sequence = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    starts_at = InstantField()
    practitioner = IdField()
    override_reason = override_field()


class MoveTogetherIn(StrictSerializer):
    """All of the moves or none."""

    moves = OneMoveIn(many=True, min_length=1, max_length=bulk_moves.MOST)
    to_location = LineField(required=False)
    reason = LineField()


class VisitMoves(viewsets.ViewSet):
    policies = {"create": "appointment.change", "preview": "appointment.change"}
    takes = {"create": MoveTogetherIn, "preview": AskIn}

    @extend_schema(request=AskIn)
    @action(detail=False, methods=["post"])
    def preview(self, request):
        """The visits that have to move, with a time proposed for each, others near it, and the mail it would make."""
        asked = valid(AskIn, request.data)
        span = self._span(request, asked)
        found = bulk_moves.affected(span, request.user)
        shown = found[: bulk_moves.MOST]
        to = self._person(asked["to_practitioner"], "to_practitioner") if "to_practitioner" in asked else asked["to"]
        question = bulk_moves.question(
            [one.visit for one in shown], span, to=to, location=self._place(request, asked.get("to_location"))
        )
        rows = proposal_page.rows(question.propose(), by=request.user)
        return Response(
            {
                "visits": [_line(row, one.why) for row, one in zip(rows, shown, strict=True)],
                "more": len(found) - len(shown),
                "mails": [_mail(one) for one in move_previews.of(rows)],
            }
        )

    @extend_schema(request=MoveTogetherIn)
    def create(self, request):
        """Move them, all or none; 409 says by appointment what is in the way and what is free instead."""
        asked = valid(MoveTogetherIn, request.data)
        ids = [one["appointment"] for one in asked["moves"]]
        if len(set(ids)) < len(ids):
            raise ValidationError({"moves": ["An appointment is named twice."]})
        visits = Appointment.objects.visible_to(request.user, "appointment.change").with_names().with_series()
        visits = visits.in_bulk(ids)
        for n, pk in enumerate(ids):
            if pk not in visits:
                raise ValidationError({"moves": {n: {"appointment": ["There is none such."]}}})
        people = {pk: self._person(pk, "moves") for pk in {one["practitioner"] for one in asked["moves"]}}
        place = self._place(request, asked.get("to_location"))

        def act():
            days = [visit.local_start.date() for visit in visits.values()]
            span = Span(locations={v.location for v in visits.values()}, first=min(days), last=max(days),
                        only_stuck=True)  # fmt: skip
            question = bulk_moves.question(list(visits.values()), span, to=bulk_moves.SAME, location=place)
            choices = {
                f"{one['appointment']}": Choice(one["starts_at"], people[one["practitioner"]],
                                                override_reason=one.get("override_reason"))
                for one in asked["moves"]
            }  # fmt: skip
            seen = {f"{one['appointment']}": one["sequence"] for one in asked["moves"]}
            moved = bulk_moves.move(question, choices, seen=seen, by=request.user, reason=asked["reason"])
            return status.HTTP_200_OK, {"moved": AppointmentOut(moved, many=True).data}

        code, body = once(request, act)
        return Response(body, status=code)

    def _span(self, request, asked):
        mine = {place.slug: place for place in Location.objects.visible_to(request.user, "appointment.change")}
        slugs = asked.get("location", [])
        if unknown := [slug for slug in slugs if slug not in mine]:
            raise ValidationError({"location": [f"There is no location “{unknown[0][:50]}”."]})
        return Span(
            locations=[mine[slug] for slug in slugs] or list(mine.values()),
            first=asked["first"],
            last=asked["last"],
            practitioner=self._person(asked["practitioner"], "practitioner") if "practitioner" in asked else None,
            only_stuck=asked["only_stuck"],
        )

    def _person(self, pk, field):
        return one(Practitioner.objects.select_related("user"), field, pk=pk)

    def _place(self, request, slug):
        if slug is None:
            return None
        return one(Location.objects.visible_to(request.user, "appointment.change"), "to_location", slug=slug)


def _line(row, why) -> dict:
    line = row.line
    return {
        "appointment": AppointmentOut(line.wish.moving).data,
        "sequence": line.wish.moving.sequence,
        "stuck": why,
        "why_not_as_wished": line.why,
        "proposal": line.slot and line.slot.as_json(),
        "others": [slot.as_json() for slot in line.others],
        "against": against_json(line),
    }


def _mail(preview) -> dict:
    mail = preview.mail
    return {
        "patient": {"id": preview.patient.pk, "name": preview.patient.name},
        "to": mail.to if mail else None,
        "subject": mail.subject if mail else None,
        "text": mail.text if mail else None,
        "why_not": preview.why_not,
    }


ENDPOINTS = [("visit-moves", VisitMoves, "visit-move")]
