"""The pages that patients and strangers open on a phone, read off the resolver, and how each is opened first."""

from urllib.parse import urlencode

from django.core import signing

from clinic import policy, times
from evaluations.intake.intake_questions import PARTS
from tests.access import addresses, expected, public
from tests.access.addresses import Address
from tests.access.world import Side

OF_PATIENTS = ("my/", "book/")
OF_OTHERS = {"api/docs/", "healthz", "readyz", "welcome/{token}/"}  # open without signing in too
BEHIND_THE_BIRTH_DATE = "my/intake/{token}/{code}/"


def open_to_all() -> list[Address]:
    """What answers without signing in, to a browser."""
    open_ = {policy.PUBLIC, policy.LINK}
    return [one for one in addresses.ours() if open_ & set(one.actions.values()) and not one.is_api]


def of_patients() -> list[Address]:
    return [one for one in open_to_all() if one.template.startswith(OF_PATIENTS)]


def _sent(side):
    now = times.now().isoformat()
    return {"s": signing.dumps({"place": side.place.slug, "at": now, "asked_at": now, "held": True}, salt="book.sent")}


# Pages that are opened with more than their address, each way once.
QUERIES = {
    "book/": lambda side: [{}, {"at": side.place.slug}],
    "book/time/": lambda side: [{name: public.form(side)[name] for name in ("type", "slot")}],
    "book/sent/": lambda side: [_sent(side)],
    "my/visits/{token}/move/": lambda side: [{}, {"with": "anybody"}],
}


def opened(side: Side) -> dict[str, list[str]]:
    """{template: the paths to open}; those of BEHIND_THE_BIRTH_DATE show themselves only once that was given."""
    public.is_offered(side)
    found = {}
    for address in of_patients():
        if address.template == BEHIND_THE_BIRTH_DATE:
            found[address.template] = [address.path(side.links["intake"], code) for code in PARTS]
        else:
            start = expected.path(address, side)
            queries = QUERIES.get(address.template, lambda side: [{}])(side)
            found[address.template] = [f"{start}?{urlencode(one)}" if one else start for one in queries]
    return found
