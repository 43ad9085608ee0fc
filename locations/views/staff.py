from django.contrib import messages
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from clinic.policy import requires
from locations import current


@require_POST
@requires("location.read")
def choose(request):
    """Work at another location from now on, and go back to where one was."""
    if current.choose(request, request.POST.get("location", "")) is None:
        messages.error(request, "That location is not one of yours.")
    return redirect(_back(request))


@require_POST
@requires("location.read")
def show(request):
    """See these locations side by side from now on, and go back to where one was."""
    if not current.show(request, request.POST.getlist("location")):
        messages.error(request, "Choose at least one location.")
    return redirect(_back(request))


def _back(request):
    target = request.POST.get("next", "/")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if allowed else "/"
