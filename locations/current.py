"""Which location a person is working at just now: chosen in the top bar, kept in the session, never out of scope."""

from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from clinic import navigation
from locations import access
from locations.models import Location

SESSION_KEY = "location"
SHOWN_KEY = "shown-locations"


def choices(user) -> list[Location]:
    """Open locations the user may see, by name; one query for each user object, so one a request."""
    if not hasattr(user, "_location_choices"):
        user._location_choices = list(Location.objects.visible_to(user).filter(is_open=True))
    return user._location_choices


def current(request) -> Location | None:
    """The location chosen in this session if it is still the user's, else their first, else None."""
    found = choices(request.user)
    chosen = request.session.get(SESSION_KEY)
    return next((place for place in found if place.slug == chosen), found[0] if found else None)


def choose(request, slug: str) -> Location | None:
    """Remember the choice; None where the location is not among the user's."""
    found = next((place for place in choices(request.user) if place.slug == slug), None)
    if found:
        request.session[SESSION_KEY] = found.slug
    return found


def shown(request) -> list[Location]:
    """Locations side by side: those that the address names, else those chosen in this session, else the current one.

    The choice lapses once the current location is not among them: whoever goes to work elsewhere sees that place.
    """
    found, here = choices(request.user), current(request)
    named = [place for place in found if place.slug in request.GET.getlist("location")]
    if named:
        return named
    chosen = [place for place in found if place.slug in request.session.get(SHOWN_KEY, [])]
    return chosen if here in chosen else [here] if here else []


def show(request, slugs: list[str]) -> list[Location]:
    """Remember which locations to show side by side; empty where none of them is the user's."""
    chosen = [place for place in choices(request.user) if place.slug in slugs]
    if chosen:
        request.session[SHOWN_KEY] = [place.slug for place in chosen]
        if current(request) not in chosen:
            request.session[SESSION_KEY] = chosen[0].slug
    return chosen


def _allowed(request, entries):
    """The entries this person may use, with their addresses; the one that the page belongs to is marked."""
    shown = []
    for entry in entries:
        if access.can(request.user, entry.action):
            url = reverse(entry.url_name)
            is_here = request.path == url or (url != "/" and request.path.startswith(url))
            shown.append({"label": entry.label, "url": url, "icon": entry.icon, "key": entry.key, "is_here": is_here})
    return shown


def first_page(request) -> str | None:
    """The address of the first page on the rail that this person may see."""
    allowed = _allowed(request, navigation.rail(request)["rail_entries"])
    return allowed[0]["url"] if allowed else None


def context(request):
    """Context of every page; lazy, so that a page without the frame asks the database nothing."""
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {}
    named = navigation.rail(request)
    return {
        "current_location": SimpleLazyObject(lambda: current(request)),
        "my_locations": SimpleLazyObject(lambda: choices(request.user)),
        "choose_location_url": reverse("location-choose"),
        "my_rail": SimpleLazyObject(lambda: _allowed(request, named["rail_entries"])),
        "my_buttons": SimpleLazyObject(lambda: _allowed(request, named["top_buttons"])),
        "search_url": SimpleLazyObject(
            lambda: next((e["url"] for e in _allowed(request, named["search_entries"])), "")
        ),
    }
