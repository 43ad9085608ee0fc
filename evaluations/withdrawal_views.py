from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic.errors import RuleBroken
from clinic.policy import requires
from clinic.text import number_or_text
from evaluations import withdrawing
from evaluations.models import Evaluation
from patients import chart_opening, sight


@require_http_methods(["GET", "POST"])
@requires("evaluation.write")
def entered_in_error(request, pk):
    """A second look at whose record it is and what it holds, then the reason."""
    rows = Evaluation.objects.select_related("patient", "location", "started_by", "signed_by", "withdrawal__by")
    found = sight.find(rows, request.user, "evaluation.write", pk)
    broken, typed = None, request.POST
    if request.method == "POST":
        try:
            withdrawing.withdraw(
                found,
                reason=typed.get("reason", ""),
                confirmed=typed.get("confirmed") == "yes",
                version=number_or_text(typed.get("version", "")),
                by=request.user,
            )
        except RuleBroken as refused:
            broken = refused
            found.refresh_from_db(fields=["version"])
        else:
            messages.success(request, "Entered in error: it counts for nothing from now on.")
            return redirect("evaluation", pk=pk)
    chart_opening.record_read("evaluation.viewed", found, by=request.user)
    context = {
        "evaluation": found,
        "findings": found.findings.exclude(status="not_assessed").count(),
        "events": [event for event in found.red_flag_events.all() if event.resolved_at is None],
        "broken": broken,
        "typed": typed,
        "least": withdrawing.LEAST_REASON,
    }
    return render(request, "evaluations/enter_in_error.html", context, status=broken.status if broken else 200)
