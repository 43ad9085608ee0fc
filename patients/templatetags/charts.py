from django import template

from patients import chart_opening

register = template.Library()
register.filter(chart_opening.minutes_left)
