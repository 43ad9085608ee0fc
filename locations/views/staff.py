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
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    return redirect(target)
