"""A page as a PDF, by WeasyPrint where its libraries load; where they do not, the page itself is printed instead.

Nothing is fetched from anywhere: the only addresses that a document may name are our static files.
"""

import importlib
import mimetypes
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation

PLACE = "https://atlas.invalid"  # where the document says it stands; nobody can own this name
_VARIANT = "pdf/ua-1"  # tagged, for screen readers


class Unavailable(Exception):  # noqa: N818 -- reads as the sentence it is
    """This machine makes no PDFs; the message says what is missing."""


@cache
def _engine():
    """WeasyPrint, or the sentence why not. Without its libraries the import itself raises OSError."""
    try:
        return importlib.import_module("weasyprint")
    except (ImportError, OSError) as problem:
        return f"The libraries of WeasyPrint do not load: {str(problem).splitlines()[0]}"


def problem() -> str:
    """Why no PDF can be made here; empty when it can."""
    engine = _engine()
    return engine if isinstance(engine, str) else ""


def render(html: str) -> bytes:
    """The document as a tagged PDF. Raises Unavailable."""
    engine = _engine()
    if isinstance(engine, str):
        raise Unavailable(engine)

    class OurFiles(engine.urls.URLFetcher):
        def fetch(self, url, headers=None):
            return engine.urls.URLFetcherResponse(url, *static_file(url))

    document = engine.HTML(string=html, base_url=PLACE, url_fetcher=OurFiles())
    return document.write_pdf(pdf_variant=_VARIANT)


def static_file(url: str) -> tuple[bytes, dict[str, str]]:
    """Content and headers of a static file of ours. Raises ValueError for every other address."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if f"{parts.scheme}://{parts.netloc}" != PLACE or not path.startswith(settings.STATIC_URL):
        raise ValueError("A document fetches nothing but our own static files.")
    try:
        found = finders.find(path.removeprefix(settings.STATIC_URL))
    except SuspiciousFileOperation:
        found = None
    if not found:
        raise ValueError("There is no such static file.")
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Path(found).read_bytes(), {"Content-Type": kind}
