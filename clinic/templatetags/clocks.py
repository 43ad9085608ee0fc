"""A time with the name of its zone. Django's own `e` says nothing in the hour that comes twice, where it is needed.

They are known to every template without being loaded.
"""

from django import template
from django.template.defaultfilters import date

from clinic import times

register = template.Library()


@register.filter(expects_localtime=True)
def zone(at) -> str:
    """`EST`; nothing for nothing, nor for a time without a zone."""
    return (at.tzname() or "") if at else ""


@register.filter(expects_localtime=True)
def zoned(at, form: str) -> str:
    """`1:30 AM EST` of an instant or a wall clock, in a format as `date` takes it."""
    return f"{date(at, form)} {zone(at)}".strip()


@register.filter(expects_localtime=True)
def clock(at, form: str) -> str:
    """A time where the zone goes without saying: named only in the hour that comes twice, `1:30 AM EST`."""
    if at and times.happens_twice(at.replace(tzinfo=None), at.tzinfo.key):
        return zoned(at, form)
    return date(at, form)
