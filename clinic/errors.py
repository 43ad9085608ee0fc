"""The errors that rules raise when they say no."""

from django.core.exceptions import PermissionDenied


class RuleBroken(Exception):  # noqa: N818 -- reads as the sentence it is
    """A rule of the clinic refused. `code` is stable, `message` is for people, `fields` maps a field to its message.

    `nearest` may hold free slots to offer instead, `alternatives` some for each of the `fields` where several visits
    were asked for, `in_the_way` rows of JSON by kind: what the change would hit, and `shown_at` the address of a page
    that shows it. `status` is the answer of the API.
    """

    def __init__(self, message, *, code, fields=None, nearest=(), status=409):
        super().__init__(message)
        self.message = message
        self.code = code
        self.fields = fields or {}
        self.nearest = list(nearest)
        self.alternatives = {}
        self.conflict = {}
        self.in_the_way = {}
        self.shown_at = ""
        self.status = status


class Closed(PermissionDenied):
    """Not allowed as things stand, but there is a way in: a page at `url` behind a button that says `label`."""

    def __init__(self, message, *, code, label, url):
        super().__init__(message)
        self.message = message
        self.code = code
        self.label = label
        self.url = url
