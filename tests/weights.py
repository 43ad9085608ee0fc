"""What a page weighs on its first load: the page, and all it names, as Atlas serves it (uncompressed)."""

import re
from pathlib import Path

from django.contrib.staticfiles import finders

MOST = 100_000  # bytes
# The font for letters beyond Latin-1 is only fetched for names that need it.
SELDOM = {"lib/inter-ext.woff2"}


def named_in(html: str) -> set[str]:
    """The files of ours that a page loads, by name, and those that they load in turn."""
    found = set()
    waiting = re.findall(r'(?:href|src)="/static/([^"#]+)', html)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            if name.endswith(".css"):
                waiting += re.findall(r'url\("\.\./([^"]+)"\)', Path(finders.find(name)).read_text())
    return found


def weight(html: bytes) -> int:
    files = named_in(html.decode()) - SELDOM
    return len(html) + sum(Path(finders.find(name)).stat().st_size for name in files)
