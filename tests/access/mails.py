"""What is set of the mails of a side's clinic."""

from locations import mail_rules

_HOURS = {"quiet_from": "21:00", "quiet_until": "07:00"}


def rule(side):
    kind = mail_rules.kinds()[0]
    return {"location": side.place.slug, "kind": kind.name, "is_on": True, "number": kind.most}


def sample(side):
    return {"kind": "visit-booked", "visit": side.visit.pk}


ASKED = {
    **{
        f"setup/mails/{name}": lambda side: {"at": side.place.slug}
        for name in ("", "hours/", "steps/", "rules/", "samples/test/")
    },
    "setup/mails/samples/": lambda side: {"at": side.place.slug, **sample(side)},
}
POSTS = {
    "POST setup/mails/samples/test/": (lambda side: {**sample(side), "language": "en"},),
    "POST api/v1/quiet-hours/": (lambda side: {"location": side.place.slug, **_HOURS},),
    "POST api/v1/mail-rules/": (rule,),
}
