import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.urls import reverse
from playwright.sync_api import sync_playwright

from appointments.models import Appointment
from careplans.models import CarePlan
from clinic import times, tokens
from clinic.models import User
from dashboard.management import typed_evaluation
from evaluations import demo as evaluations_demo
from evaluations import finding_paths, recording
from evaluations.models import Evaluation
from locations.models import Location
from patients.models import Patient

FOLDER = settings.ROOT / "docs" / "screenshots"
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Command(BaseCommand):
    help = "Write docs/screenshots/*.png from a demo clinic of its own, on a port of its own."

    def add_arguments(self, parser):
        parser.add_argument("--here", action="store_true", help="use the database and port of the environment")
        parser.add_argument("--size", default="clinic")

    def handle(self, *, here, size, **options):
        if not here:
            return self._in_a_clinic_of_its_own(size)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("demo", size=size)
        web = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=settings.ROOT, start_new_session=True)
        try:
            _wait_until_up()
            FOLDER.mkdir(parents=True, exist_ok=True)
            _take_pictures(_pages(), _begun_evaluation())
        finally:
            web.send_signal(signal.SIGINT)
            web.wait(30)
        self.stdout.write(f"Written to {FOLDER}.")
        return None

    def _in_a_clinic_of_its_own(self, size):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="atlas-pictures-") as var:
            ours = {"ATLAS_VAR": var, "PORT": str(port), "DATABASE_URL": "", "REDIS_URL": "", "BASE_URL": ""}
            command = [sys.executable, "manage.py", "screenshots", "--here", f"--size={size}"]
            done = subprocess.run(command, cwd=settings.ROOT, env=os.environ | ours, check=False)  # noqa: S603
        if done.returncode:
            raise CommandError("The pictures were not taken.")


def _wait_until_up():
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{settings.BASE_URL}/healthz", timeout=2):  # noqa: S310 -- our own address
                return
        except OSError:
            time.sleep(0.3)
    raise CommandError("Atlas did not come up.")


def _pages():
    """Name of the picture, who looks (None: nobody signed in), and the address."""
    atlanta = Location.objects.get(slug="atlanta")
    day = atlanta.today()
    while day.weekday() > 4:
        day += timedelta(days=1)
    worked = atlanta.today()
    while worked.weekday() > 4:
        worked -= timedelta(days=1)
    chart = Patient.objects.get(email="patient01@example.org")
    active = CarePlan.objects.filter(status="active", location=atlanta)
    plan = active.annotate(placed=Count("series__visits__appointments")).order_by("-placed", "pk").first()
    visit = Appointment.objects.filter(status="booked", location=atlanta, starts_at__gt=times.now()).first()
    token = tokens.issue_link(purpose="visit", on=visit, expires_at=visit.ends_at)
    again = chart.evaluations.filter(signed_at__isnull=False).latest("started_at")
    examined = _open_evaluation(atlanta, chart)
    return [
        ("sign-in", None, reverse("account_login")),
        ("today", "desk", f"{reverse('today')}?day={worked}"),
        ("calendar", "desk", f"{reverse('calendar')}?day={day}"),
        ("booking", "desk", f"{reverse('appointment-new')}?patient={chart.pk}&type=evaluation"),
        ("patient", "chiro", reverse("patient", args=[chart.pk])),
        ("evaluation", "chiro", f"{reverse('evaluation', args=[examined.pk])}#part-palpation"),
        ("comparison", "chiro", reverse("evaluation-compare", args=[again.pk])),
        ("care-plan", "chiro", reverse("plan", args=[plan.pk])),
        ("visit-link-phone", None, reverse("visit-link", args=[token])),
        ("book-soonest-phone", None, reverse("book")),
        ("book-times-phone", None, f"{reverse('book')}?at=atlanta"),
    ]


def _open_evaluation(place, patient):
    """Begun for the picture, with the findings of the patient's own chart."""
    by = User.objects.get(email="chiro@demo.test")
    chart = json.loads((evaluations_demo.CHARTS / "C01.json").read_text())
    evaluation = recording.start(patient=patient, location=place, by=by)
    findings = finding_paths.read_findings(chart["reevaluation"]["evaluation"])
    answers = chart["red_flags"]["answers"]
    seconds = {"red_flags": 170, "vitals": 115, "posture": 322}
    recording.save(
        evaluation, findings=findings, version=evaluation.version, by=by, answers=answers, section_seconds=seconds
    )
    return evaluation


def _begun_evaluation():
    """Of a grown-up who was examined before, so that last time's values are there in grey."""
    by = User.objects.get(email="chiro@demo.test")
    signed = Evaluation.objects.visible_to(by, "evaluation.write").filter(signed_at__isnull=False)
    before = signed.filter(patient__birth_date__year__lt=2000, status="signed").order_by("pk").first()
    return recording.start(patient=before.patient, location=before.location, by=by)


def _take_pictures(pages, evaluation):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        seats = {}
        for name, who, address in pages:
            size = PHONE if name.endswith("-phone") else DESK
            if (who, name.endswith("-phone")) not in seats:
                seats[who, name.endswith("-phone")] = _seat(browser, who, size)
            page = seats[who, name.endswith("-phone")]
            page.goto(settings.BASE_URL + address)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}.png")
        _type_an_evaluation(seats["chiro", False], evaluation)
        browser.close()


def _type_an_evaluation(page, evaluation):
    """The recording of a whole evaluation by keyboard alone."""
    page.goto(settings.BASE_URL + reverse("evaluation", args=[evaluation.pk]))
    page.wait_for_timeout(1000)

    def picture(name):
        page.wait_for_timeout(2500)  # saved, and what follows is shown
        page.evaluate("scrollBy(0, -1)")  # the page has become shorter: else the picture has the place of before
        page.wait_for_timeout(500)
        page.screenshot(path=FOLDER / f"{name}.png")

    typed_evaluation.fill_in(_Hands(page.keyboard), picture)


class _Hands:
    def __init__(self, keyboard):
        self.keyboard = keyboard

    def press(self, *keys):
        for key in keys:
            self.keyboard.press(key)

    def type(self, *texts):
        for text in texts:
            self.keyboard.type(text)
            self.press("Enter")


def _seat(browser, who, size):
    page = browser.new_context(viewport=size).new_page()
    if who:
        page.goto(settings.BASE_URL + reverse("account_login"))
        page.get_by_label("Email").fill(f"{who}@demo.test")
        page.get_by_label("Password").first.fill("demo-clinic")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state("networkidle")
    return page
