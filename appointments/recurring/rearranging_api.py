"""Endpoints to arrange the rest of a series anew: proposed visit by visit, and approved as one change."""

from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from appointments import overriding
from appointments.api_shapes import against_json, override_field, valid
from appointments.moving import move_previews
from appointments.moving.move_previews import Preview
from appointments.recurring import proposal_page, rearranging, series
from appointments.recurring.patterns import MOST_VISITS
from appointments.recurring.proposals import Choice, instead
from appointments.visit_json import AppointmentOut
from clinic.errors import RuleBroken
from clinic.rest import IdField, InstantField, LineField, StrictSerializer, once
from locations.models import Practitioner


class RestIn(StrictSerializer):
    way = serializers.ChoiceField(list(rearranging.WAYS), default=rearranging.KEEP)


class RearrangedIn(StrictSerializer):
    """A start with somebody, or `skip`; `sequence` is that of the appointment that moves, left out for what is owed."""

    number = IdField()
    sequence = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    starts_at = InstantField(required=False)
    practitioner = IdField(required=False)
    skip = LineField(required=False, max_length=200)
    override_reason = override_field()


class RearrangeIn(StrictSerializer):
    visits = RearrangedIn(many=True, min_length=1, max_length=MOST_VISITS + 1)
    reason = LineField(required=False, allow_blank=True, max_length=200)


POLICIES = {"propose_rest": "appointment.change", "rearrange": "appointment.change"}
TAKES = {"propose_rest": RestIn, "rearrange": RearrangeIn}


class Rearranging:
    """What the endpoint of series takes over from here."""

    @action(detail=True, methods=["post"], url_path="propose-rest")
    def propose_rest(self, request, pk):
        """What is to come of a series, each visit as it is now beside what is proposed, and the mail. Books nothing."""
        rest = rearranging.of(self._get(pk), way=valid(RestIn, request.data)["way"])
        rows = proposal_page.rows(rest.propose(), by=request.user)
        by_key = {row.key: row for row in rows}
        return Response(
            {
                "visits": [_line(one, by_key.get(str(one.number))) for one in rest.remaining],
                "mails": [_mail(one) for one in move_previews.of_rest(rows)],
            }
        )

    @action(detail=True, methods=["post"])
    def rearrange(self, request, pk):
        """Book what is owed and move what is booked to the chosen times, all or none; 409 says by number what changed
        meanwhile or cannot be had.
        """
        said, found = valid(RearrangeIn, request.data), self._get(pk)
        choices, seen = _choices(said["visits"])

        def act():
            with instead(rearranging.of(found), {str(number): choice for number, choice in choices.items()}):
                done = series.rearrange(found, choices, seen=seen, by=request.user, reason=said.get("reason", ""))
            return status.HTTP_200_OK, {"visits": [AppointmentOut(visit).data for visit in done]}

        code, body = once(request, act)
        return Response(body, status=code)


def _line(one, row) -> dict:
    """`asks` is false for what stays as it is; `why` it cannot."""
    line = row and row.line
    return {
        "number": one.number,
        "label": one.visit.label,
        "type": one.visit.type.slug,
        "appointment": one.appointment and one.appointment.pk,
        "sequence": one.appointment and one.appointment.sequence,
        "starts_at": one.appointment and one.appointment.local_start.isoformat(),
        "why": one.why,
        "asks": row is not None,
        "why_not_as_wished": line.why if line else "",
        "proposed": line.slot and line.slot.as_json() if line else None,
        "others": [slot.as_json() for slot in line.others] if line else [],
        "against": against_json(line) if line else None,
    }


def _mail(preview: Preview) -> dict:
    mail = preview.mail
    return {"to": mail and mail.to, "subject": mail and mail.subject, "text": mail and mail.text,
            "why_not": preview.why_not}  # fmt: skip


def _choices(visits) -> tuple[dict[int, Choice], dict[int, int | None]]:
    people = Practitioner.objects.select_related("user").filter(is_active=True)
    people = people.in_bulk({one["practitioner"] for one in visits if "practitioner" in one})
    found, faults = {}, {}
    for one in visits:
        number, person = one["number"], people.get(one.get("practitioner"))
        if number in found:
            faults[str(number)] = "The visit is named twice."
        elif "skip" in one and not {"starts_at", "practitioner", overriding.FIELD} & set(one):
            found[number] = Choice(skip_reason=one["skip"])
        elif "starts_at" in one and person and "skip" not in one:
            found[number] = Choice(one["starts_at"], person, override_reason=one.get("override_reason"))
        else:
            faults[str(number)] = "Give `starts_at` and a practitioner of the clinic, or `skip` with the reason."
    if faults:
        raise RuleBroken("Choose once for every visit.", code="invalid", fields=faults, status=400)
    return found, {one["number"]: one.get("sequence") for one in visits}
