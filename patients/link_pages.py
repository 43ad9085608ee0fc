"""What all pages behind the links in mails share. GET changes nothing: mail scanners open every link, some even run
its scripts.

No CSRF token is asked: nothing here acts by a cookie. The secret in the address is the whole authority, and it is
withheld from other sites by `no-referrer`, under which browsers send `Origin: null`, which the CSRF check refuses.
"""

from collections.abc import Callable
from functools import wraps
from operator import attrgetter

from django import forms
from django.db.models import Model
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic import policy
from clinic.models import Link
from clinic.policy import requires
from patients import languages

READ, ANSWER = ("GET", "HEAD"), ("GET", "HEAD", "POST")


class BirthDateForm(forms.Form):
    born_on = forms.DateField(label=_("Your birth date"), widget=forms.DateInput(attrs={"type": "date"}))


def behind_link(find: Callable[[str], tuple[Link, Model] | None], *, methods=ANSWER, patient="patient", otherwise=None):
    """A page for the holder of a link that `find` knows, in the language of the patient.

    The view gets the link and what it is about; `patient` says whose that is. For any other link there is `otherwise`,
    and the page that tells nothing.
    """

    def declare(view):
        @wraps(view)
        def found_by(request, token, **more):
            found = find(token)
            if found is None:
                return otherwise(request, token) if otherwise else gone(request)
            with languages.speaking(attrgetter(patient)(found[1])):
                return view(request, token, *found, **more)

        return by_token(found_by, methods=methods)

    return declare


def by_token(view, *, methods=ANSWER):
    """An address that is itself the secret: told to no other site, kept in no cache, found by no search engine."""

    @csrf_exempt
    @requires(policy.LINK)
    @require_http_methods(methods)
    @wraps(view)
    def guarded(request, token, **more):
        answer = view(request, token, **more)
        answer["Referrer-Policy"] = "no-referrer"
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return guarded


def gone(request):
    with languages.speaking_as_asked(request):
        return render(request, "patients/link_gone.html", status=410)
