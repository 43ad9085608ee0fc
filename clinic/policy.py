"""How an address declares who may use it. What a declaration means is the table in `locations/access.py`."""

PUBLIC = "public"  # anybody: sign-in, health, public pages
LINK = "link"  # the holder of a link from a mail; the view checks the token
SERVICE = "service"  # a program of somebody else's; the view checks its secret
SIGNED_IN = "signed-in"  # anybody who works here; the view shows only their own


def requires(action, **by_method):
    """Declare the action of a function view, e.g. `@requires("patient.read", POST="patient.write")`."""

    def declare(view):
        view.policy = {"*": action, **by_method}
        return view

    return declare


def declared(view, method: str) -> str | None:
    """The action a view function declares for a method, or None when it declares nothing."""
    policy = getattr(view, "policy", None) or getattr(getattr(view, "view_class", None), "policy", None)
    if policy is None:
        return None
    return policy.get(method, policy.get("*")) if isinstance(policy, dict) else policy
