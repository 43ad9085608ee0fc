"""`make bench`: each figure as a ratio to a floor measured in the same run.

Answers are compared before anything is timed. Rounds are interleaved, medians are quoted, raw numbers are printed.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
ROUNDS = 9


def prepare():
    """A database of its own: the demo clinic, always from the same seed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    os.environ["ATLAS_VAR"] = tempfile.mkdtemp(prefix="atlas-bench-")
    os.environ["LOG_LEVEL"] = "WARNING"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo", size=os.environ.get("BENCH_SIZE", "clinic"), verbosity=0)


def compare(name, *, ours, naive, floor):
    """Medians of interleaved rounds. `naive` answers the same question plainly; `floor` only reads the rows for it."""
    if ours() != naive():
        sys.exit(f"{name}: the two answers differ; nothing was timed.")
    calls = {"ours": ours, "naive": naive, "floor": floor}
    raw = {which: [] for which in calls}
    for _ in range(ROUNDS):
        for which, call in calls.items():
            begun = time.perf_counter()
            call()
            raw[which].append(round((time.perf_counter() - begun) * 1000, 2))
    median = {which: statistics.median(values) for which, values in raw.items()}
    return {
        "name": name,
        "median_ms": median,
        "times_the_floor": round(median["ours"] / median["floor"], 2),
        "times_faster_than_naive": round(median["naive"] / median["ours"], 2),
        "raw_ms": raw,
    }


def main():
    prepare()
    from benchmarks import soonest

    results = [compare(**case) for case in soonest.cases()]
    print(f"{'medians in ms':48}{'ours':>8}{'floor':>8}{'naive':>8}{'ours/floor':>12}{'naive/ours':>12}")
    for row in results:
        ms = row["median_ms"]
        ratios = f"{row['times_the_floor']:>12}{row['times_faster_than_naive']:>12}"
        print(f"{row['name']:48}{ms['ours']:>8}{ms['floor']:>8}{ms['naive']:>8}{ratios}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
