"""An offer from the waitlist as every endpoint shows it."""

from rest_framework import serializers

from appointments.waiting import offers
from clinic import times


class OfferOut(serializers.Serializer):
    """An offer, and what became of it; `answer` is empty while it stands."""

    def to_representation(self, offer):
        zone = offer.location.time_zone
        stands = offers.is_standing(offer)
        return {
            "id": offer.pk,
            "entry": offer.entry_id,
            "patient": {"id": offer.entry.patient_id, "name": offer.entry.patient.name},
            "starts_at": offer.local_start.isoformat(),
            "ends_at": times.local(offer.ends_at, zone).isoformat(),
            "time_zone": zone,
            "location": {"slug": offer.location.slug, "name": offer.location.name},
            "practitioner": {"id": offer.practitioner_id, "name": offer.practitioner.name},
            "expires_at": offer.local_expiry.isoformat(),
            "why": offer.reason,
            "by": offer.by_whom,
            "is_standing": stands,
            "answer": "" if stands else offers.outcome(offer).value,
            "answered_by": offer.answered_by,
            "appointment": offer.visit_id,
        }
