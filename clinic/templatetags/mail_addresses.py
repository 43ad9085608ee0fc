from django import template
from django.utils.html import format_html

register = template.Library()


@register.filter
def wrappable(address: str) -> str:
    """A mail address that a narrow column may break before its @, and nowhere else."""
    mailbox, at, domain = address.partition("@")
    return format_html("{}<wbr>{}{}", mailbox, at, domain)
