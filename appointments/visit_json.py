"""A visit as every endpoint shows it."""

from rest_framework import serializers

from appointments import visit_status


class AppointmentOut(serializers.Serializer):
    """An appointment as the API shows it; instants carry the offset of its location's zone."""

    def to_representation(self, visit):
        return {
            "id": visit.pk,
            "patient": {"id": visit.patient_id, "name": visit.patient.name},
            "practitioner": {"id": visit.practitioner_id, "name": visit.practitioner.name},
            "location": {"slug": visit.location.slug, "name": visit.location.name},
            "room": {"id": visit.room_id, "name": visit.room.name},
            "type": visit.type.slug,
            "status": visit.status,
            "sequence": visit.sequence,  # rises with each change of time, place and length
            "starts_at": visit.local_start.isoformat(),
            "ends_at": visit.local_end.isoformat(),
            "time_zone": visit.location.time_zone,
            "next_steps": [step.name for step in visit_status.allowed(visit)],
        }
