"""Moving many visits at once: proposed by GET, the mails shown for what is chosen, all moved or none by POST."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from appointments.moving import bulk_moves, move_previews
from appointments.moving.bulk_move_forms import STUCK, BulkMoveForm
from appointments.recurring import proposal_page
from clinic.errors import RuleBroken
from clinic.policy import requires
from locations.current import current

NAMES = ("practitioner", "location", "first", "last", "which", "to", "at")


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def moves(request):
    given = request.POST if request.method == "POST" else request.GET if "first" in request.GET else None
    form = BulkMoveForm(given, user=request.user, initial=_usual(request))
    page = {"form": form, "most": bulk_moves.MOST}
    if given is None or not form.is_valid():
        return render(request, "appointments/moves.html", page, status=400 if given is not None else 200)
    found = bulk_moves.affected(form.cleaned_data["span"], request.user)
    shown = _asked_about(found, request.POST) if request.method == "POST" else found[: bulk_moves.MOST]
    question = bulk_moves.question([one.visit for one in shown], form.cleaned_data["span"], **form.aim())
    status, refused, choices = 200, None, None
    if request.method == "POST":
        try:
            choices = proposal_page.read(request.POST, question)
            if request.POST.get("do") != "preview":
                return _move(request, form, question, {**choices, **proposal_page.gone(request.POST, question)})
            rows = proposal_page.again(question, request.POST, by=request.user)
        except RuleBroken as broken:
            status, refused = broken.status, broken
            rows = proposal_page.again(question, request.POST, broken, by=request.user)
    else:
        rows = proposal_page.rows(question.propose(), by=request.user)
    page |= {
        "rows": _with_reasons(rows, shown),
        "summary": proposal_page.summary(rows),
        "refused": refused and refused.message,
        "reason": request.POST.get("reason", "")[:200],
        "reach": question.reach,
        "more": len(found) - len(shown) if request.method == "GET" else 0,
        "mails": move_previews.of(rows),
        "preview_url": reverse("visit-moves"),
        **proposal_page.overrides(rows, request.POST, refused),
    }
    return render(request, "appointments/moves.html", page, status=status)


def _usual(request):
    place = current(request)
    today = place and place.today()
    return {"location": place and place.slug, "first": today, "last": today, "which": STUCK}


def _asked_about(found, data):
    return [one for one in found if f"visit-{one.visit.pk}" in data]


def _with_reasons(rows, shown):
    why = {f"{one.visit.pk}": one.why for one in shown}
    return [{"row": row, "visit": row.line.wish.moving, "stuck": why[row.key]} for row in rows]


def _move(request, form, question, choices):
    seen = proposal_page.seen(request.POST, choices)
    done = bulk_moves.move(question, choices, seen=seen, by=request.user, reason=request.POST.get("reason", ""))
    moved = sum(visit.sequence != seen[f"{visit.pk}"] for visit in done)
    agreed, left = len(done) - moved, len(choices) - len(done)
    if moved:
        messages.success(request, f"{_visits(moved)} moved. The mails leave in a few minutes.")
    if agreed:
        messages.success(request, f"{_visits(agreed)} agreed to where {'it stands' if agreed == 1 else 'they stand'}.")
    if left:
        messages.warning(request, f"{_visits(left)} left where they are: listed until moved.")
    asked = {name: form.data.get(name, "") for name in NAMES}
    return redirect(f"{reverse('visit-moves')}?{urlencode(asked)}")


def _visits(count: int) -> str:
    return f"{count} visit{'' if count == 1 else 's'}"
