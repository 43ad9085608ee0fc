"""A time with the name of its zone. Django's own `e` says nothing in the hour that comes twice, where it is needed.

Both are known to every template without being loaded.
"""

from django import template
from django.template.defaultfilters import date

register = template.Library()


@register.filter(expects_localtime=True)
def zone(at) -> str:
    """`EST`; nothing for nothing, nor for a time without a zone."""
    return (at.tzname() or "") if at else ""


@register.filter(expects_localtime=True)
def zoned(at, form: str) -> str:
    """`1:30 AM EST` of an instant or a wall clock, in a format as `date` takes it."""
    return f"{date(at, form)} {zone(at)}".strip()
