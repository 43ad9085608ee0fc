"""Outcome measures: raw inputs only, with their ranges; no item wording (the instruments are their owners')."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
        Measure("midas_headache_days", "MIDAS A, days with headache in 3 months", "0–92", 0, 92),
        Measure("midas_mean_pain", "MIDAS B, mean pain", "0–10", 0, 10),
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
PAPER = "paper"
ORIGIN_WORDS = {"recall": "what the patient recalls", PAPER: "a calendar on paper", "diary": "the patient's diary"}
COUNTS_ORIGINS = tuple(ORIGIN_WORDS)
ORIGIN, COUNTED = "counts_origin", ("headache_days_28", "migraine_days_28", "acute_med_days_28")
NOT_ASKED = "not_asked"
LISTS = {"midas_items": (5, 92, True), "hit6_items": (6, 13, True), "ndi_items": (10, 5, True)}

EQ_STATE = "eq5d5l_state"
# What is asked at every evaluation (reference 3.2); the impression of change only once there is something to compare.
EXPECTED = (
    "nprs_neck", "nprs_headache_usual", "nprs_headache_worst", "hit6_total",
    "headache_days_28", "migraine_days_28", "acute_med_days_28", "midas_items", "ndi_items",
)  # fmt: skip
EXPECTED_LATER = ("pgic_1_to_7",)
LEAST_ANSWERED = {"midas_items": 5, "ndi_items": scoring.NDI_LEAST_ANSWERED}

_ORIGIN_LABEL = "what the days of 28 are counted from"
LIST_LABELS = {"midas_items": "MIDAS, days in 3 months", "hit6_items": "HIT-6", "ndi_items": "Neck Disability Index"}


def label_of(code: str) -> str:
    if code == ORIGIN:
        return _ORIGIN_LABEL
    return MEASURES[code].label if code in MEASURES else LIST_LABELS.get(code, code.replace("_", " "))


def item_words(code: str) -> str:
    """What an item of the list may be."""
    if code == "hit6_items":
        return f"items of {', '.join(map(str, sorted(scoring.HIT6_ITEM_SCORES)))}, which make the total"
    return f"items 0 to {LISTS[code][1]}"


def _fault(code, value):
    if value is None:
        return ""
    if code in LISTS:
        many, most, gaps = LISTS[code]
        good = isinstance(value, list) and len(value) == many
        good = good and all((v is None and gaps) or (type(v) is int and 0 <= v <= most) for v in value)
        if not good:
            return f"Give {many} whole numbers from 0 to {most}."
        if code == "hit6_items" and not {v for v in value if v is not None} <= scoring.HIT6_ITEM_SCORES:
            return f"Each item is one of {', '.join(map(str, sorted(scoring.HIT6_ITEM_SCORES)))}."
        return scoring.midas_faults(value) if code == "midas_items" else ""
    if code == ORIGIN:
        return "" if value in COUNTS_ORIGINS else f"Give one of {', '.join(COUNTS_ORIGINS)}."
    if code == EQ_STATE:
        good = isinstance(value, str) and len(value) == 5 and set(value) <= set("12345")
        return "" if good else "Give five digits from 1 to 5."
    if code not in MEASURES:
        return "There is no such measure."
    measure = MEASURES[code]
    if type(value) is not int or not measure.least <= value <= measure.most:
        return f"Give a whole number from {measure.least} to {measure.most}."
    return "This total cannot come about." if code == "hit6_total" and value in scoring.HIT6_IMPOSSIBLE else ""


def expected(*, is_first: bool) -> tuple[str, ...]:
    return EXPECTED if is_first else EXPECTED + EXPECTED_LATER


def must_be_an_object(given: object) -> None:
    if not isinstance(given, dict):
        message = "Give an object of measures."
        raise RuleBroken(message, code="invalid", fields={"measures": message}, status=400)


def missing(stored: Mapping, *, is_first: bool) -> list[str]:
    """The expected scores of which nothing is known: neither a value that counts nor that it was not asked. Days
    that were counted need their origin: without it they are compared with nothing."""
    absent = [code for code in expected(is_first=is_first) if not _is_said(code, stored)]
    return [*absent, ORIGIN] if is_counted(stored) and stored.get(ORIGIN) is None else absent


def is_counted(stored: Mapping) -> bool:
    return any(stored.get(code) is not None for code in COUNTED)


def _is_said(code, stored) -> bool:
    if code not in stored:
        return False
    items = stored[code]
    if code not in LEAST_ANSWERED or items is None:
        return True
    return sum(item is not None for item in items) >= LEAST_ANSWERED[code]


def applied(given: dict, stored: Mapping) -> dict:
    """What is recorded once `given` is: null takes a value back, NOT_ASKED keeps that nobody was asked (as null)."""
    must_be_an_object(given)
    known = {*MEASURES, *LISTS, EQ_STATE}
    not_asked = {code for code, value in given.items() if value == NOT_ASKED and code in known}
    told = check({code: None if code in not_asked else value for code, value in given.items()}, stored)
    found = {code: value for code, value in {**stored, **told}.items() if value is not None or code not in told}
    return found | {code: None for code in not_asked if told[code] is None}


def check(given: dict, stored: Mapping = MappingProxyType({})) -> dict:
    """The measures if all are right; raises RuleBroken naming each wrong one. None means not asked.

    `stored` are those that were saved before: days of migraine are days of headache, whichever comes first.
    """
    must_be_an_object(given)
    faults = {f"measures.{str(code)[:40]}": text for code, value in given.items() if (text := _fault(code, value))}
    if not faults:
        faults = _days_faults(given, {**stored, **given}) | _hit6_faults(given, {**stored, **given})
    if faults:
        raise RuleBroken("; ".join(faults.values()), code="invalid_measure", fields=faults, status=400)
    return given | _hit6_total(given)


def _hit6_faults(given, all_of_them) -> dict[str, str]:
    """A total that its items do not or can not come to; asked when the total is what was sent."""
    possible, typed = scoring.hit6_totals(all_of_them.get("hit6_items") or []), given.get("hit6_total")
    if typed is None or typed in possible:
        return {}
    least, most = min(possible), max(possible)
    can = f"come to {most}" if least == most else f"come to {least} at least and {most} at most"
    return {"measures.hit6_total": f"The six items {can}."}


def _hit6_total(given) -> dict:
    """The total of items that were sent: their sum once all six are there, and none before; never a guess."""
    if given.get("hit6_items") is None or given.get("hit6_total") is not None:
        return {}
    return {"hit6_total": scoring.hit6_total(given["hit6_items"])}


def _days_faults(given, measures) -> dict[str, str]:
    headache, migraine = measures.get("headache_days_28"), measures.get("migraine_days_28")
    if None in (headache, migraine) or migraine <= headache:
        return {}
    if "migraine_days_28" in given:
        return {"measures.migraine_days_28": f"Not more days than with headache ({headache})."}
    if "headache_days_28" in given:
        return {"measures.headache_days_28": f"Not fewer days than with migraine ({migraine})."}
    return {}


def check_conclusion(text: str) -> str:
    try:
        if not isinstance(text, str) or len(text) > LONGEST_CONCLUSION:
            raise ValidationError(f"Give text of at most {LONGEST_CONCLUSION} characters.")
        clean_note(text)
    except ValidationError as error:
        message = error.messages[0]
        raise RuleBroken(message, code="invalid", fields={"conclusion": message}, status=400) from None
    return text
