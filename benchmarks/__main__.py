"""`make bench`: each figure as a ratio to anchors measured in the same run.

python -m benchmarks                     SQLite, and PostgreSQL too when DATABASE_URL names one
python -m benchmarks --large             also 1,000,000 visits and patients
python -m benchmarks --only soonest …    some of the measurements
python -m benchmarks --rounds 9 --keep   more rounds; keep the databases for the next run

Anchors: F, the least code that gives the same answer; N, the code one would write without thinking of speed. Answers
are compared before anything is timed, rounds are interleaved, medians are quoted, raw numbers are in results.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
MEASUREMENTS = (
    "soonest",
    "nothing_fits",
    "growth",
    "patient_search",
    "plan_progress",
    "over_http",
    "burst",
    "examination",
    "mails",
)


def arguments():
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large", action="store_true", help="also 1,000,000 visits and patients")
    parser.add_argument("--tiny", action="store_true", help="a few visits: does it run at all?")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="keep the databases, and find them again")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    return parser.parse_args()


def measure(asked, url: str) -> list[dict]:
    """All measurements on one engine, in this process."""
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="atlas-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    from benchmarks import scratch

    label = "tiny" if asked.tiny else "small"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    os.environ |= {"DEBUG": "0", "SECRET_KEY": "only-for-measuring", "ALLOWED_HOSTS": "127.0.0.1,testserver"}
    os.environ |= {"DATABASE_URL": scratch.address(url, folder, label), "ATLAS_VAR": str(folder), "LOG_LEVEL": "ERROR"}
    import django

    django.setup()
    run = scratch.Run.prepare(url, folder, rounds=asked.rounds, label=label, large=asked.large)
    found = []
    try:
        for name in asked.only:
            for figure in import_module(f"benchmarks.{name}").measure(run):
                show(figure)
                found.append(figure.as_json())
    finally:
        run.end(keep=asked.keep is not None)
    return found


def show(figure) -> None:
    print(f"\n{figure.name}  [{figure.engine}]")
    print("   " + "   ".join(f"{who} {value:g} ms" for who, value in figure.median_ms.items()))
    for aim in figure.aims:
        print(f"   {aim['what']}: {aim['ratio']:g}, aim {aim['aim']}: {'met' if aim['met'] else 'MISSED'}")
    for name, value in figure.notes.items():
        print(f"   {name}: {value}")


def main():
    asked = arguments()
    if asked.engine:
        url = os.environ.get("DATABASE_URL", "") if asked.engine == "postgresql" else ""
        found = measure(asked, url)
        asked.results.write_text(json.dumps(found, indent=1) + "\n")
        return
    found = []
    for engine in ("sqlite", *(["postgresql"] if os.environ.get("DATABASE_URL") else [])):
        with tempfile.NamedTemporaryFile(suffix=".json") as part:
            # A process for each engine: Django settles on one when it starts.
            command = [sys.executable, "-m", "benchmarks", *sys.argv[1:], "--engine", engine, "--results", part.name]
            if subprocess.run(command).returncode:
                sys.exit(f"The benchmarks on {engine} broke off; nothing was written.")
            found += json.loads(Path(part.name).read_text())
    asked.results.write_text(json.dumps(found, indent=1) + "\n")
    missed = [one for one in found if not all(aim["met"] for aim in one["aims"])]
    print(f"\n{len(found)} figures, {len(found) - len(missed)} with every aim met; all numbers in {asked.results.name}")


if __name__ == "__main__":
    main()
