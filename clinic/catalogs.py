"""The languages that patients are written to in: `translations/LANGUAGE.po`, made ready when a process starts.

Texts are kept as text. What Django reads (`.mo`) is made from them under VAR whenever they are newer, so that a fresh
clone needs no gettext tools and a corrected translation only a restart.
"""

import os
import tempfile
from pathlib import Path

import polib
from django.conf import settings

SOURCES = settings.ROOT / "translations"


def make_ready(sources: Path = SOURCES, to: Path | None = None) -> list[Path]:
    """Compile what is newer than what was compiled from it; returns the files written. Safe for processes at once."""
    target = to or Path(settings.LOCALE_PATHS[0])
    written = []
    for source in sorted(sources.glob("*.po")):
        compiled = target / source.stem / "LC_MESSAGES" / "django.mo"
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        compiled.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=compiled.parent, suffix=".part")
        os.close(handle)
        polib.pofile(str(source)).save_as_mofile(draft)
        Path(draft).replace(compiled)
        written.append(compiled)
    return written
