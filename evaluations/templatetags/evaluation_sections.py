from django import template

from evaluations.entry import entry_page

register = template.Library()
register.filter("missing_in", entry_page.missing_in)
