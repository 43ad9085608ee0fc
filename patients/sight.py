"""What is about a patient, found for somebody, and the right refusal where it is not for them.

Out of sight does not exist (404). Who may see the patient but not do this is told so (403), and a clinician who does
not treat the patient is shown the way to open the chart with a reason.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import Case, DateTimeField, Exists, Model, OuterRef, QuerySet, Subquery, When
from django.http import Http404
from django.urls import reverse

from clinic.errors import Closed
from clinic.models import User
from locations import access
from patients import treatment
from patients.models import ChartOpening, Patient, in_sight


def find(rows: QuerySet, user: User, action: str, pk: int) -> Model:
    """The row about a patient with that id. Raises Http404, PermissionDenied or Closed.

    Its `opened_until` says until when, where only a chart opened with a reason lets the user see it: pages tell.
    """
    openings = ChartOpening.objects.running(user).filter(patient=OuterRef("patient"))
    treated = treatment.is_tied(access.location_ids(user, action), "patient")
    until = Case(When(treated, then=None), default=Subquery(openings.values("until")[:1]), output_field=DateTimeField())
    found = in_sight(rows, user, action).annotate(opened_until=until).filter(pk=pk).first()
    if found is None:
        hidden = rows.filter(pk=pk).first()
        if hidden is not None:
            require(user, action, hidden.patient)
        raise Http404
    return found


def require(user: User, action: str, patient: Patient) -> None:
    """Raises Http404, PermissionDenied or Closed unless the user may do the action to the patient."""
    if Patient.objects.visible_to(user, action).filter(pk=patient.pk).exists():
        return
    if not Patient.objects.visible_to(user).filter(pk=patient.pk).exists():
        raise Http404
    if action in access.OPENED and may_open(user, patient):
        raise Closed(
            "You have no treatment relation with this patient: no visit, examination or plan at your clinics within"
            " a year. You can open the chart for an hour with a reason, which is kept and looked at.",
            code="not_treated",
            label="Open with a reason",
            url=reverse("chart-open", args=[patient.pk]),
        )
    raise PermissionDenied


def may_open(user: User, patient: Patient) -> bool:
    return Patient.objects.visible_to(user, "chart.open").filter(pk=patient.pk).exists()


def allowed(user: User, patient: Patient) -> set[str]:
    """The rows of the access table that hold for this user and this patient; one query."""
    questions = {}  # rows that ask the same are asked together
    for action in access.TABLE:
        places = access.location_ids(user, action)
        same = None if places is None else frozenset(places), access.is_clinical(action), action in access.OPENED
        questions.setdefault(same, []).append(action)
    this = Patient.objects.filter(pk=patient.pk)
    asked = [Exists(in_sight(this, user, actions[0], "pk")) for actions in questions.values()]
    answers = this.values_list(*asked).first()
    return {action for actions, yes in zip(questions.values(), answers, strict=True) if yes for action in actions}
