"""Serves the few third-party browser files Atlas uses straight from node_modules: an allow-list, no bundler."""

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import Warning as CheckWarning
from django.core.files.storage import FileSystemStorage

FILES = {
    "lib/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "lib/inter-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "lib/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "lib/bootstrap.bundle.min.js": "bootstrap/dist/js/bootstrap.bundle.min.js",
}


class _Library(FileSystemStorage):
    """node_modules, but only the files of the allow-list and under their short names."""

    def path(self, name):
        return str(settings.ROOT / "node_modules" / FILES[name])


class Finder(BaseFinder):
    def check(self, **kwargs):
        missing = [f for f in FILES.values() if not (settings.ROOT / "node_modules" / f).exists()]
        if not missing:
            return []
        return [
            CheckWarning(f"Browser libraries are missing: {', '.join(missing)}.", hint="Run: npm ci", id="clinic.W001")
        ]

    def find(self, path, find_all=False, **kwargs):
        target = settings.ROOT / "node_modules" / FILES[path] if path in FILES else None
        found = [str(target)] if target and target.exists() else []
        return found if find_all else (found[0] if found else [])

    def list(self, ignore_patterns):
        storage = _Library()
        for name, source in FILES.items():
            if (settings.ROOT / "node_modules" / source).exists():
                yield name, storage
