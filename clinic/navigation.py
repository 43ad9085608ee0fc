"""The left rail. Apps add their entries in `apps.py`: lower packages never name upper ones."""

from dataclasses import dataclass

_entries = []


@dataclass(frozen=True)
class Entry:
    label: str
    url_name: str
    action: str
    icon: str
    order: int
    key: str = ""


def add(label: str, url_name: str, *, action: str, icon: str, order: int, key: str = "") -> None:
    """`action` is the row of the access table that lets a person see the entry; `icon` a symbol of the sprite."""
    _entries.append(Entry(label, url_name, action, icon, order, key))
    _entries.sort(key=lambda e: e.order)


def rail(request):
    """Context of every page: the entries; which of them a person may see is asked when the page is rendered."""
    return {"rail_entries": _entries}
