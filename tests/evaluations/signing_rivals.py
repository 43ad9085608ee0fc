"""One rival of the race test: the first signs what it read, the second answers a red flag of the same evaluation.

Usage: python -m tests.evaluations.signing_rivals NUMBER EMAIL. Prints what came of each: done, stale or signed.
"""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.db import connection  # noqa: E402

from clinic.errors import RuleBroken  # noqa: E402
from clinic.models import User  # noqa: E402
from evaluations import signing  # noqa: E402
from evaluations.models import Evaluation  # noqa: E402
from evaluations.safety import red_flags  # noqa: E402
from tests.appointments.processes import start  # noqa: E402


def main():
    number, by = int(sys.argv[1]), User.objects.get(email=sys.argv[2])
    rows = list(Evaluation.objects.select_related("patient", "location").order_by("pk"))
    start()
    found = []
    for one in rows:
        try:
            if number == 0:
                signing.sign(one, by=by, version=one.version)
            else:
                red_flags.answer(patient=one.patient, evaluation=one, answers={"rf_chiari": "unknown"}, by=by)
        except RuleBroken as broken:
            found.append(broken.code)
        else:
            found.append("done")
    connection.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
