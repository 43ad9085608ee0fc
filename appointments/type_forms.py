from django import forms

from appointments.models import AppointmentType
from appointments.visit_types import FIELDS
from locations.forms import dress


class TypeForm(forms.ModelForm):
    """How a type of visit is offered; the rule checks and writes."""

    class Meta:
        model = AppointmentType
        fields = FIELDS
        labels = {
            "name_es": "Name in Spanish", "room_kind": "Needs",
            "minutes": "Usual length", "least_minutes": "Shortest", "most_minutes": "Longest",
            "buffer_before": "Kept free before", "buffer_after": "Kept free after",
            "step_minutes": "A start every", "notice_minutes": "Least notice", "horizon_days": "Bookable ahead",
            "late_cancel_hours": "Late to cancel within",
            "is_bookable_online": "Patients may book it online", "is_evaluation": "It is an evaluation",
            "preparation": "What the patient is to bring or do before",
            "preparation_es": "The same in Spanish",
        }  # fmt: skip
        help_texts = {
            "name_es": "Who books in Spanish reads this; where it is empty, the English.",
            "minutes": "Minutes.", "least_minutes": "Minutes.", "most_minutes": "Minutes.",
            "buffer_before": "Minutes.", "buffer_after": "Minutes, for cleaning or rest.",
            "notice_minutes": "Minutes between booking and start; 0 lets people walk in.",
            "late_cancel_hours": "Hours before the visit. Who cancels later is marked so, and has to call to move it; "
            "0 is never.",
            "horizon_days": "Days from today.", "preparation": "Patients read this in their mails.",
            "preparation_es": "Where it is empty, those who are written to in Spanish read the English.",
        }  # fmt: skip
        widgets = {name: forms.Textarea({"rows": 2}) for name in ("preparation", "preparation_es")}

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        dress(
            self, ("name", "name_es"), "room_kind", ("minutes", "step_minutes"), ("least_minutes", "most_minutes"),
            ("buffer_before", "buffer_after"), ("notice_minutes", "horizon_days"),
            "late_cancel_hours", "is_bookable_online",
            "is_evaluation", "preparation", "preparation_es",
        )  # fmt: skip

    def _post_clean(self):
        """The instance is left as it is: the rule says in words what the constraints of the table say."""
