"""Outcome measures: raw inputs only, with their ranges; no item wording (the instruments are their owners')."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from clinic.errors import RuleBroken
from clinic.text import clean_note
from evaluations import scoring

LONGEST_CONCLUSION = 10_000


@dataclass(frozen=True)
class Measure:
    code: str
    label: str
    unit: str
    least: int
    most: int


MEASURES = {
    m.code: m
    for m in (
        Measure("nprs_neck", "Neck pain, last 7 days", "0–10", 0, 10),
        Measure("nprs_headache_usual", "Headache, usual", "0–10", 0, 10),
        Measure("nprs_headache_worst", "Headache, worst", "0–10", 0, 10),
        Measure("hit6_total", "HIT-6 total", "36–78", 36, 78),
        Measure("headache_days_28", "Headache days in 28", "d", 0, 28),
        Measure("migraine_days_28", "Migraine days in 28", "d", 0, 28),
        Measure("acute_med_days_28", "Acute medication days in 28", "d", 0, 28),
        Measure("pgic_1_to_7", "Impression of change (1 best – 7 worst)", "1–7", 1, 7),
        Measure("eq_vas", "EQ VAS", "0–100", 0, 100),
    )
}
# Lists of item scores: (how many, most of each, may some be left out). MIDAS has no total then, the NDI is prorated.
# Where the 28-day counts come from; they are never mixed with the diary's own.
COUNTS_ORIGINS = ("recall", "paper", "diary")
LISTS = {"midas_items": (5, 92, True), "ndi_items": (10, 5, True)}

LIST_LABELS = {"midas_items": "MIDAS, days in 3 months", "ndi_items": "Neck Disability Index"}


def _fault(code, value):
    if value is None:
        return ""
    if code in LISTS:
        many, most, gaps = LISTS[code]
        good = isinstance(value, list) and len(value) == many
        good = good and all((v is None and gaps) or (type(v) is int and 0 <= v <= most) for v in value)
        if not good:
            return f"Give {many} whole numbers from 0 to {most}."
        return scoring.midas_faults(value) if code == "midas_items" else ""
    if code == "counts_origin":
        return "" if value in COUNTS_ORIGINS else f"Give one of {', '.join(COUNTS_ORIGINS)}."
    if code == "eq5d5l_state":
        good = isinstance(value, str) and len(value) == 5 and set(value) <= set("12345")
        return "" if good else "Give five digits from 1 to 5."
    if code not in MEASURES:
        return "There is no such measure."
    measure = MEASURES[code]
    if type(value) is not int or not measure.least <= value <= measure.most:
        return f"Give a whole number from {measure.least} to {measure.most}."
    return "This total cannot come about." if code == "hit6_total" and value in scoring.HIT6_IMPOSSIBLE else ""


def check(given: dict) -> dict:
    """The measures if all are right; raises RuleBroken naming each wrong one. None means not asked."""
    if not isinstance(given, dict):
        message = "Give an object of measures."
        raise RuleBroken(message, code="invalid", fields={"measures": message}, status=400)
    faults = {f"measures.{str(code)[:40]}": text for code, value in given.items() if (text := _fault(code, value))}
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid_measure", fields=faults, status=400)
    return given


def check_conclusion(text: str) -> str:
    try:
        if not isinstance(text, str) or len(text) > LONGEST_CONCLUSION:
            raise ValidationError(f"Give text of at most {LONGEST_CONCLUSION} characters.")
        clean_note(text)
    except ValidationError as error:
        message = error.messages[0]
        raise RuleBroken(message, code="invalid", fields={"conclusion": message}, status=400) from None
    return text
