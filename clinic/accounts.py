from allauth.account.adapter import DefaultAccountAdapter


class StaffAdapter(DefaultAccountAdapter):
    """Staff are invited by an owner; nobody signs up."""

    def is_open_for_signup(self, request):
        return False
