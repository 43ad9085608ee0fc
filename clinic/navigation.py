"""The left rail and the top bar. Apps add their entries in `apps.py`: lower packages never name upper ones."""

from dataclasses import dataclass

_entries = []
_buttons = []
_search = []


@dataclass(frozen=True)
class Entry:
    label: str
    url_name: str
    action: str
    icon: str
    order: int = 0
    key: str = ""


def add(label: str, url_name: str, *, action: str, icon: str, order: int, key: str = "") -> None:
    """`action` is the row of the access table that lets a person see the entry; `icon` a symbol of the sprite."""
    _entries.append(Entry(label, url_name, action, icon, order, key))
    _entries.sort(key=lambda e: e.order)


def add_button(label: str, url_name: str, *, action: str, icon: str, key: str) -> None:
    """A button at the top of every page, also pressed by its key."""
    _buttons.append(Entry(label, url_name, action, icon, key=key))


def search_at(url_name: str, *, action: str) -> None:
    """Where the search box of every page leads."""
    _search[:] = [Entry("Search", url_name, action, "search")]


def rail(request):
    """Context of every page: the entries; which of them a person may see is asked when the page is rendered."""
    return {"rail_entries": _entries, "top_buttons": _buttons, "search_entries": _search}
