from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic import policy, tokens
from clinic.errors import RuleBroken
from clinic.models import User
from clinic.policy import requires
from locations import staffing
from locations.forms import WelcomeForm, say


@require_http_methods(["GET", "HEAD", "POST"])
@requires(policy.LINK)
def welcome(request, token):
    """Choose the first password by the link of an invitation; opening it changes nothing."""
    link = tokens.find_link(token, purpose=staffing.PURPOSE)
    person = User.objects.filter(pk=link.about_id, is_active=True).first() if link else None
    if person is None:
        return render(request, "locations/welcome.html", {"form": None}, status=404)
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            staffing.accept(link, person, password=form.cleaned_data["password"])
        except RuleBroken as refused:
            say(form, refused)
        else:
            messages.success(request, "Your password is saved. Sign in with it.")
            return redirect("account_login")
    return render(request, "locations/welcome.html", {"form": form, "person": person})
