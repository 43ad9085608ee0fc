import http.client
import os
import socket
import sys

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from clinic.models import User
from clinic.processes import Child, supervise

DEMO_PASSWORD = "demo-clinic"  # noqa: S105 -- printed at every start, for invented people only
DEMO_SIGN_INS = {
    "owner@demo.test": "group owner",
    "manager@demo.test": "location manager, Nashville",
    "desk@demo.test": "front desk, Atlanta and Marietta",
    "chiro@demo.test": "chiropractor, Atlanta and Marietta",
    "auditor@demo.test": "read only, no clinical text",
}


class Command(BaseCommand):
    help = "The whole of Atlas in one terminal: migrate, demo clinic if empty, then web, Celery worker and beat."

    def add_arguments(self, parser):
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))

    def handle(self, *, host, port, **options):
        refuse_taken_port(host, port)
        try:
            self.prepare()
        except KeyboardInterrupt:
            raise CommandError("Stopped before the clinic was ready; start again to go on.") from None
        os.chdir(settings.ROOT)
        supervise(
            [
                Child("web", web_command(host, port)),
                Child("worker", worker_command()),
                Child("beat", [*CELERY, "beat", "--pidfile=", "--loglevel=WARNING"]),
            ],
            ready=lambda: answers(host, port),
            announce=lambda: self.announce(host, port),
        )
        self.stdout.write("Stopped.")

    def prepare(self):
        self.stdout.write("Bringing the database up to date …")
        call_command("migrate", interactive=False, verbosity=0)
        # Never in a real installation: the demo clinic's passwords are known to everybody.
        if settings.ON_TRIAL and not User.objects.exists():
            self.stdout.write("The database is empty: loading the demo clinic (once, about a minute) …")
            call_command("demo", size="clinic")

    def announce(self, host, port):
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 -- compared, not bound
        self.stdout.write(self.style.SUCCESS(f"\nAtlas is up: http://{netloc(shown, port)}/"))
        if User.objects.filter(email="owner@demo.test").exists():
            self.stdout.write(f"Demo sign-ins, password {DEMO_PASSWORD}:")
            for email, who in DEMO_SIGN_INS.items():
                self.stdout.write(f"  {email:<20} {who}")
        self.stdout.write("Ctrl-C stops web, worker and beat.\n")
        self.stdout.flush()


CELERY = [sys.executable, "-m", "celery", "--app=clinic", "--quiet"]


def netloc(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def web_command(host, port):
    return [
        sys.executable,
        "-m",
        "waitress",
        f"--listen={netloc(host, port)}",
        "--threads=8",
        "clinic.wsgi:application",
    ]


def worker_command():
    """One process with the on-disk broker, whose queue is not made for rivals; a pool of two on Redis."""
    pool = ["--pool=prefork", "--concurrency=2"] if settings.REDIS_URL else ["--pool=solo"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    return [*CELERY, "worker", *pool, *quiet]


def refuse_taken_port(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {netloc(host, port)} ({error.strerror}). Try another port: PORT={port + 1} make run"
            ) from None


def answers(host, port):
    """Whether the web process answers at all; a refused Host header is an answer too."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    connection = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
