"""Atlas and its floors behind gunicorn, as in production, and the client that asks both the same way."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager

ATLAS, FLOORS = "clinic.wsgi:application", "benchmarks.floor_views:application"


class Server:
    """One gunicorn; a request is a new connection, as its workers close each after its answer."""

    def __init__(self, port: int):
        self.port = port

    def ask(self, path: str, *, body: bytes | None = None, headers=()) -> tuple[int, bytes]:
        """The status and the body of the answer; a POST when there is a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            sent = {"Content-Type": "application/json", **dict(headers)} if body is not None else dict(headers)
            connection.request("GET" if body is None else "POST", path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def served(application: str, database, *, workers: int = 1):
    """The application on the scratch database, with so many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    options = ["--workers", str(workers), "--backlog", "256", "--timeout", "120", "--log-level", "error"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([*command, *options], env=os.environ | {"DATABASE_URL": database.url}, stderr=log)
        try:
            server = Server(port)
            _wait(server, process)
            yield server
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(30)


def _wait(server: Server, process) -> None:
    for _ in range(300):
        try:
            server.ask("/healthz")
            return
        except OSError:
            if process.poll() is not None:
                sys.exit("gunicorn did not start.")
            time.sleep(0.1)
    sys.exit("gunicorn does not answer.")


def signed_in(database, mailbox: str) -> dict[str, str]:
    """Headers of somebody who signed in with a browser: the session, and what a form sends along."""
    from django.conf import settings
    from django.middleware.csrf import _get_new_csrf_string
    from django.test import Client

    from clinic.models import User

    with database.chosen():
        client = Client()
        client.force_login(User.objects.get(email=f"{mailbox}@bench.test"), settings.AUTHENTICATION_BACKENDS[0])
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
    secret = _get_new_csrf_string()
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={secret}"
    return {"Cookie": cookies, "X-CSRFToken": secret}
