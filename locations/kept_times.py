"""Times kept free for somebody who is being asked, which end when their clinic or practitioner loses that time.

Packages above register what they keep, from `apps.py`. Whoever takes time away says so last, in the same transaction
and under its `standstill`: what cannot be kept any more is given up there and then, but only after it was shown.
"""

from collections.abc import Callable, Collection, Iterable

from clinic.errors import RuleBroken
from clinic.models import User
from locations.models import Location, Practitioner

Agreed = Collection[int] | None  # ids of kept times that may be given up; None: whichever they are

_keepers: list[Callable] = []


class TimesKept(RuleBroken):
    """Nothing was changed: times would have to be given up that whoever asked has not seen.

    `in_the_way` has the rows of JSON that the API answers with: the `offers` of these times, and `visits` that would
    stay where they are and have to be moved.
    """

    def __init__(self, message: str, *, offers: list[dict], visits: list[dict]):
        super().__init__(message, code="in_the_way")
        self.in_the_way = {"visits": visits, "offers": offers}


def add(keeper: Callable) -> None:
    """`keeper(locations=, practitioners=, by=, agreed=)` gives up what cannot be kept there or with them any more.

    It raises TimesKept for what is in sight of `by` and not `agreed` to.
    """
    _keepers.append(keeper)


def give_up(
    *,
    locations: Iterable[Location] = (),
    practitioners: Iterable[Practitioner] = (),
    by: User,
    agreed: Agreed,
) -> None:
    """Whatever was kept at these locations and with these practitioners and is not possible any more. Raises TimesKept.

    Comes after the change, which it looks at, and before COMMIT.
    """
    places, people = list(locations), list(practitioners)
    for keeper in _keepers:
        keeper(locations=places, practitioners=people, by=by, agreed=agreed)


def agreed(confirm: bool) -> Agreed:
    """Of a script, which says that it knows, not what."""
    return None if confirm else ()


def agreed_in(form) -> set[int]:
    """The ids that a page sent along, of what it had shown."""
    return {int(pk) for pk in form.getlist("agreed") if pk.isascii() and pk.isdigit() and len(pk) < 19}
