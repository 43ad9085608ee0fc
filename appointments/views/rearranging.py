"""The rest of a series arranged anew: proposed by GET beside what is booked, the mail shown, approved once by POST."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from appointments.models import Series
from appointments.moving import move_previews
from appointments.recurring import proposal_page, proposals, rearranging
from appointments.recurring import series as rules
from clinic.errors import RuleBroken
from clinic.policy import requires

TEMPLATE = "appointments/series_rearrange.html"


@require_http_methods(["GET", "POST"])
@requires("appointment.change")
def rearrange(request, pk):
    found = get_object_or_404(Series.objects.visible_to(request.user, "appointment.change").with_names(), pk=pk)
    given = request.POST if request.method == "POST" else request.GET
    way = given.get("way", rearranging.KEEP)
    if way not in rearranging.WAYS:
        raise BadRequest("There is no such way.")
    rest = rearranging.of(found, way=way)
    status, refused, changed = 200, None, []
    if request.method == "POST":
        asked = rest.only(one.number for one in rest.remaining if f"visit-{one.number}" in request.POST)
        try:
            choices = proposal_page.read(request.POST, asked)
            if request.POST.get("do") != "preview":
                return _rearrange(request, found, {**choices, **proposal_page.gone(request.POST, asked)})
            rows = proposal_page.again(asked, request.POST, by=request.user)
        except RuleBroken as broken:
            status, refused = broken.status, broken
            rows = proposal_page.again(rest, request.POST, broken, by=request.user)
            changed = _unknown(broken, rows)
    else:
        rows = proposal_page.rows(rest.propose(), by=request.user)
    lines = _lines(rest, rows)
    context = {
        "series": found, "pattern": found.as_pattern, "way": way, "ways": rearranging.WAYS.items(), "lines": lines,
        "rows": rows, "summary": _summary(lines), "refused": refused and refused.message, "changed": changed,
        "reach": proposals.FURTHEST,
        "reason": request.POST.get("reason", "")[:200], "mails": move_previews.of_rest(rows),
        **proposal_page.overrides(rows, request.POST, refused),
        "preview_url": reverse("series-rearrange", args=[pk]),
    }  # fmt: skip
    return render(request, TEMPLATE, context, status=status)


def _rearrange(request, found, choices):
    choices = {int(key): choice for key, choice in choices.items() if key.isdigit()}
    seen = {int(key): sequence for key, sequence in proposal_page.seen(request.POST, map(str, choices)).items()}
    done = rules.rearrange(found, choices, seen=seen, by=request.user, reason=request.POST.get("reason", ""))
    count = len(done)
    said = f"{count} visit{'' if count == 1 else 's'} arranged anew. The mail leaves in a few minutes."
    messages.success(request, said if done else "Nothing changed.")
    left = sum(choice.is_skipped and seen[number] is None for number, choice in choices.items())
    if left:
        messages.warning(request, f"{left} visit{'' if left == 1 else 's'} left out: listed as owed until placed.")
    return redirect("series", found.pk)


def _unknown(broken, rows):
    """What is said of visits that have no row any more."""
    keys = {row.key for row in rows}
    return [text for key, text in broken.fields.items() if key not in keys and key.isdigit()]


def _lines(rest, rows):
    """Before beside after, in the order in which the visits will be."""
    by_key = {row.key: row for row in rows}
    return [
        {
            "one": one,
            "row": by_key.get(str(one.number)),
            "sequence": "" if one.appointment is None else one.appointment.sequence,
            "option": _after(one, by_key.get(str(one.number))),
        }
        for one in rest.remaining
    ]


def _after(one, row):
    """What becomes of it as chosen: stays, moves, is new, or is owed."""
    if row is None:
        return "stays" if one.appointment else "barred"
    if row.chosen is None:
        return "stays" if one.appointment else "owed"
    slot, found = row.chosen.slot, one.appointment
    if found is None:
        return "new"
    same = (slot.starts_at, slot.practitioner, slot.location) == (found.starts_at, found.practitioner, found.location)
    return "stays" if same else "moves"


def _summary(lines):
    return {name: sum(line["option"] == name for line in lines) for name in ("stays", "moves", "new", "owed", "barred")}
