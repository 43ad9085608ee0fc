from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows import reauthentication


class StaffAdapter(DefaultAccountAdapter):
    """Staff are invited by an owner; nobody signs up."""

    def is_open_for_signup(self, request):
        return False


def password_is_needed(request) -> bool:
    """Whether the password was not asked again lately in this session."""
    return reauthentication.is_reauthentication_required(request, app="account")
