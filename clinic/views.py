from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_safe

from clinic import api_docs as documentation
from clinic import heartbeats, outbox, policy, times
from clinic.celery import app as celery_app
from clinic.errors import Closed
from clinic.policy import requires


@require_safe
@requires(policy.PUBLIC)
def healthz(request):
    return JsonResponse({"status": "ok"})


@require_safe
@requires(policy.PUBLIC)
def readyz(request):
    """Database, broker, beat and a worker heard from in the last five minutes, and a clock that is not behind a mail
    that was sent; 503 names what is missing."""
    state = {"database": False, "broker": False, "beat": False, "worker": False, "clock": False}
    try:
        connection.ensure_connection()
        state["database"] = True
        pulse = heartbeats.pulse()
        state |= {"beat": not pulse.is_beat_silent, "worker": not pulse.is_worker_silent}
        state["clock"] = outbox.waits_until(times.now()) is None
        with celery_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
            state["broker"] = True
    except Exception as error:  # noqa: BLE001 -- whatever is wrong, the answer is "not ready" and not a crash
        state["why"] = type(error).__name__
    return JsonResponse(state, status=200 if all(v is True for v in state.values()) else 503)


@require_GET
@requires(policy.PUBLIC)
def api_docs(request):
    return render(request, "clinic/api_docs.html", {"groups": documentation.groups()})


FOR_PATIENTS = ("/my/", "/book/")


def _problem(request, status, title, advice, way_in=None):
    """Rendered without the request: what fills in other pages may be the very thing that is broken."""
    if request.path.startswith("/api/"):
        return JsonResponse({"code": title.lower().replace(" ", "_"), "detail": advice, "fields": {}}, status=status)
    is_staff = not request.path.startswith(FOR_PATIENTS)
    context = {"title": title, "advice": advice, "is_staff": is_staff, "way_in": way_in}
    return HttpResponse(render_to_string("clinic/problem.html", context), status=status)


def page_400(request, exception=None):
    return _problem(request, 400, "Bad request", "The address or the form was not understood. Go back and try again.")


def page_403(request, exception=None):
    if isinstance(exception, Closed):
        here = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        way_in = {"label": exception.label, "url": f"{exception.url}?{here}"}
        return _problem(request, 403, "This chart is closed to you", exception.message, way_in)
    return _problem(request, 403, "Not allowed", "Your role does not include this. Ask your manager if it should.")


def page_csrf(request, reason=""):
    """A form that comes from another site, from before the last sign-in, or from a browser without cookies."""
    advice = (
        "This form was opened too long ago, or your browser refuses cookies. Go back, load the page anew and repeat."
    )
    return _problem(request, 403, "Not accepted", advice)


def page_404(request, exception=None):
    if request.path.startswith(FOR_PATIENTS):
        return _problem(request, 404, "Not found", "Check that the whole address was copied, or call your clinic.")
    return _problem(request, 404, "Not found", "It does not exist, or it belongs to a location you do not work at.")


def page_429(request):
    return _problem(request, 429, "Too many tries", "Wait a few minutes, then try again.")


def page_500(request):
    return _problem(request, 500, "Something went wrong", "The fault was ours and has been logged. Try again.")
