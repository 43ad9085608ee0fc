"""Ways between clinics that nobody entered yet: all on one page, to be filled at once."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from clinic.policy import requires
from locations import places, setup_pages, ways
from locations.forms import MissingWayForm, OtherWaysForm
from locations.models import Location


@require_http_methods(["GET", "POST"])
@requires("location.change")
def missing(request):
    """What stays empty stays unknown, unless one number is given for all of these."""
    mine = Location.objects.visible_to(request.user, "location.change")
    data = request.POST if request.method == "POST" else None
    forms = [MissingWayForm(data, one=one, other=other) for one, other in ways.missing(mine)]
    rest = OtherWaysForm(data, prefix="rest")
    wrong = [form for form in (rest, *forms) if data is not None and not form.is_valid()]  # each says what is wrong
    if data is not None and not wrong:
        count = _save(forms, rest.cleaned_data["minutes"], request.user)
        messages.success(request, f"{count} way{' is' if count == 1 else 's are'} saved.")
        return redirect("setup-ways")
    context = {"forms": forms, "rest": rest}
    return setup_pages.render(request, "locations/ways.html", context, status=200 if data is None else 400)


@transaction.atomic
def _save(forms, for_the_rest, user) -> int:
    given = [
        (form, for_the_rest if form.cleaned_data["minutes"] is None else form.cleaned_data["minutes"]) for form in forms
    ]
    wanted = [(form, minutes) for form, minutes in given if minutes is not None]
    for form, minutes in wanted:
        places.set_travel(form.one, form.other, minutes, by=user)
    return len(wanted)
