"""Rivals of a race: processes of their own on the database of the test, which start together."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def together(module: str, *, rivals: int, arguments=()) -> list:
    """What each rival printed, as JSON. A rival gets its number as the first argument, says `ready`, then waits."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    environment = os.environ | {"DATABASE_URL": url, "ATLAS_VAR": str(settings.VAR)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, str(number), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=settings.ROOT, text=True,
        )
        for number in range(rivals)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = []
    for process in processes:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0
        found.append(json.loads(output))
    return found


def start() -> None:
    """In a rival: wait until all of them are ready."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
