"""The suite on the embedded default, or on PostgreSQL and Redis when DATABASE_URL and REDIS_URL say so."""

import os
import tempfile
from pathlib import Path

# Each process of a parallel run (pytest -n 2) writes its own files: mails, broker, cache.
_ours = os.environ.setdefault("ATLAS_VAR", tempfile.mkdtemp(prefix="atlas-test-"))
worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker and Path(_ours).name != worker:  # a process that such a test starts has its folder already
    os.environ["ATLAS_VAR"] = str(Path(_ours) / worker)
# What the machine or a .env says about a real installation must not reach the tests.
for name in ("DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "BASE_URL", "BEHIND_PROXY", "EMAIL_URL", "HOST", "PORT"):
    os.environ.pop(name, None)

from clinic.settings import *  # noqa: E402, F403 -- read with the variables above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
ACCOUNT_RATE_LIMITS = False
PAGE_RATES = {}
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"user": None, "anon": None}}  # noqa: F405
if not REDIS_URL:  # noqa: F405
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}  # noqa: F405
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # On disk, so that the processes of the race tests can open it too.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}  # noqa: F405
