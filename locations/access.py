"""Who may do what: the one access table, read by the code and by the tests.

A role is held at a location or for the whole group. A cell is ALL (every location), HERE (locations where the role is
held), TREATED (of those, patients who are treated there: `patients/treatment.py`), OWN (what is the user's own), or
absent (never). Rows are scoped in the query, so what is out of scope does not exist: 404, never 403.
"""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.permissions import BasePermission

from clinic import policy

OWNER, MANAGER, CLINICIAN, DESK, AUDITOR = "owner", "manager", "clinician", "desk", "auditor"
ALL, HERE, TREATED, OWN = "all", "here", "treated", "own"

_OPERATIONS = {MANAGER: HERE, CLINICIAN: HERE, DESK: HERE}
_CLINICAL = {CLINICIAN: TREATED}
TABLE: dict[str, dict[str, str]] = {
    "location.read": {OWNER: ALL, MANAGER: HERE, CLINICIAN: HERE, DESK: HERE, AUDITOR: ALL},
    "location.change": {OWNER: ALL, MANAGER: HERE},
    "location.create": {OWNER: ALL},
    "hours.change": {OWNER: ALL, MANAGER: HERE, CLINICIAN: OWN},
    "staff.change": {OWNER: ALL, MANAGER: HERE},
    "type.change": {OWNER: ALL},
    "user.read": {OWNER: ALL, MANAGER: HERE, CLINICIAN: HERE, DESK: HERE, AUDITOR: ALL},
    "patient.search": {OWNER: ALL, **_OPERATIONS},
    "patient.read": {OWNER: ALL, **_OPERATIONS},
    "patient.write": _OPERATIONS,
    "patient.create": _OPERATIONS,
    "availability.read": {OWNER: ALL, **_OPERATIONS},
    "appointment.read": {OWNER: ALL, **_OPERATIONS},
    "appointment.create": _OPERATIONS,
    "appointment.change": _OPERATIONS,
    "appointment.override": {MANAGER: HERE, CLINICIAN: OWN},
    "evaluation.read": _CLINICAL,
    "evaluation.write": _CLINICAL,
    "evaluation.sign": {CLINICIAN: OWN},
    "evaluation.amend": _CLINICAL,
    "evaluation.unsigned": {OWNER: ALL, MANAGER: HERE, CLINICIAN: OWN},
    "red_flag.resolve": _CLINICAL,
    "incident.read": {OWNER: ALL, MANAGER: HERE, CLINICIAN: OWN},
    "incident.change": {OWNER: ALL, MANAGER: HERE},
    "careplan.read": _CLINICAL,
    "careplan.write": _CLINICAL,
    "careplan.schedule": _OPERATIONS,
    "plan_template.read": {OWNER: ALL, CLINICIAN: ALL},
    "plan_template.change": {OWNER: ALL},
    "chart.open": {CLINICIAN: HERE},
    "chart.review": {OWNER: ALL, MANAGER: HERE, AUDITOR: ALL},
    "audit.read": {OWNER: ALL, MANAGER: HERE, AUDITOR: ALL},
    "message.read": {OWNER: ALL, MANAGER: HERE, DESK: HERE, AUDITOR: ALL},
    "message.retry": {OWNER: ALL, MANAGER: HERE},
}

# What a chart that was opened with a reason adds for its hour (`patients/chart_opening.py`): to read, and an addendum.
OPENED = frozenset({"evaluation.read", "evaluation.amend", "careplan.read"})

# Addresses of packages that are not ours, by their name in the resolver; any other of theirs is a 404.
THIRD_PARTY = {
    "account_login": policy.PUBLIC,
    "account_logout": policy.PUBLIC,
    "account_reset_password": policy.PUBLIC,
    "account_reset_password_done": policy.PUBLIC,
    "account_reset_password_from_key": policy.PUBLIC,
    "account_reset_password_from_key_done": policy.PUBLIC,
    "account_reauthenticate": policy.SIGNED_IN,
    "account_change_password": policy.SIGNED_IN,
    "mfa_authenticate": policy.PUBLIC,
    "mfa_index": policy.SIGNED_IN,
    "mfa_activate_totp": policy.SIGNED_IN,
    "mfa_deactivate_totp": policy.SIGNED_IN,
    "mfa_generate_recovery_codes": policy.SIGNED_IN,
    "mfa_view_recovery_codes": policy.SIGNED_IN,
    "mfa_download_recovery_codes": policy.SIGNED_IN,
    "mfa_reauthenticate": policy.SIGNED_IN,
    "api-schema": policy.PUBLIC,
}
_WITHOUT_ROLE = {policy.PUBLIC, policy.LINK, policy.SERVICE}


def held(user) -> list[tuple[str, int | None]]:
    """The user's (role, location id or None for the group); one query for each user object, so one a request."""
    if not user.is_authenticated or not user.is_active:
        return []
    if not hasattr(user, "_held_roles"):
        user._held_roles = list(user.assignments.values_list("role", "location_id"))
    return user._held_roles


def location_ids(user, action: str, *, own: bool = True) -> set[int] | None:
    """Ids of the locations where the user may do the action; None means every location.

    Without `own`, those where it is not only about what is the user's own.
    """
    cells = TABLE[action]
    found = set()
    for role, location_id in held(user):
        cell = cells.get(role)
        if not cell or (cell == OWN and not own):
            continue
        if cell == ALL or location_id is None:
            return None
        found.add(location_id)
    return found


def is_clinical(action: str) -> bool:
    """Whether the role alone is not enough: the patient has to be treated where it is held."""
    return TREATED in TABLE[action].values()


def scope(queryset, user, action: str, path: str):
    """Rows of the queryset whose location (at `path`) is in the user's scope for the action."""
    ids = location_ids(user, action)
    return queryset if ids is None else queryset.filter(**{f"{path}__in": ids})


def can(user, action: str, location=None) -> bool:
    """May the user do it at the location, or, without one, anywhere at all? OWN cells need the rule's check too."""
    ids = location_ids(user, action)
    return ids is None or (bool(ids) if location is None else location.pk in ids)


def require(user, action: str, location) -> None:
    """Raises Http404 where the location is out of the user's sight, PermissionDenied where only the action is."""
    if can(user, action, location):
        return
    raise PermissionDenied if can(user, "location.read", location) else Http404


def allows(user, declared: str) -> bool:
    if declared in _WITHOUT_ROLE:
        return True
    if declared == policy.SIGNED_IN:
        return user.is_authenticated
    return user.is_authenticated and can(user, declared)


class AccessMiddleware:
    """Refuses every address that declares no policy, and everybody its policy does not name."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if hasattr(view, "cls") and hasattr(view.cls, "policies"):
            return None  # an API endpoint: ApiPolicy decides once the token is read
        match = request.resolver_match
        action = policy.declared(view, request.method) or THIRD_PARTY.get(match.view_name)
        if action is None:
            raise Http404
        if allows(request.user, action):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        raise PermissionDenied


class ApiPolicy(BasePermission):
    """An endpoint's `policies` maps its DRF action (or HTTP method) to a row of the table."""

    def has_permission(self, request, view):
        name = getattr(view, "action", None) or request.method.lower()
        action = getattr(view, "policies", {}).get(name)
        if action is None:
            raise Http404
        return allows(request.user, action)
