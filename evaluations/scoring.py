"""Outcome measures: totals, bands and meaningful change (reference 3.2). Pure; the raw answers come in, no wording.

A total with a missing input is None; only the Neck Disability Index is prorated. Change is always follow-up minus
baseline; of the measures here all but the EQ VAS improve downward.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

TENTH = Decimal("0.1")
HIT6_ITEM_SCORES = {6, 8, 10, 11, 13}
HIT6_IMPOSSIBLE = {37, 39, 77}
MIDAS_MOST_DAYS = 92  # in three months; also of the two questions about one kind of activity together
NDI_ITEMS, NDI_LEAST_ANSWERED = 10, 8
# From which change on it matters, in points (reference 3.2). Of the NDI it is the real one; of days it is a share.
MEANINGFUL = {
    "hit6_total": Decimal(6), "midas_total": Decimal("4.5"), "ndi_percent": Decimal(10), "nprs_neck": Decimal(2),
    "nprs_headache_usual": Decimal(2), "nprs_headache_worst": Decimal(2), "eq_vas": Decimal(8),
}  # fmt: skip
HIT6_MIC = -MEANINGFUL["hit6_total"]
# Where more than one change is published, each is told: how many points, and what they are (reference 3.2).
LIMITS = {
    "nprs_neck": ((Decimal("1.3"), "smallest that matters"), (Decimal("1.5"), "by ROC"), (Decimal(4), "detectable")),
    "ndi_percent": ((MEANINGFUL["ndi_percent"], "real"), (Decimal(19), "important")),
}
RESPONDER_STEPS = {"r30": -30, "r50": -50, "r75": -75, "r100": -100}


def _band(value, steps, last):
    """`steps` are (most, name) in rising order."""
    if value is None:
        return None
    return next((name for most, name in steps if value <= most), last)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(TENTH, ROUND_HALF_UP)


def nprs_band(score: int | None) -> str | None:
    """Numeric pain rating 0–10 (K): none, mild to 3, moderate to 6, severe."""
    return _band(score, ((0, "none"), (3, "mild"), (6, "moderate")), "severe")


def hit6_total(items: list[int | None] | None) -> int | None:
    """The sum of the six item scores; None unless all six are there."""
    if not items or len(items) != 6 or any(item not in HIT6_ITEM_SCORES for item in items):
        return None
    return sum(items)


def limits(code: str, change: Decimal | int | None, before: Decimal | int | None) -> list[tuple[str, bool]]:
    """The published limits of a change with whether it reaches them, either way; none where no change is known."""
    if change is None or before is None:
        return []
    found = [(f"{least} {words}", abs(change) >= least) for least, words in LIMITS.get(code, ())]
    if code == "midas_total" and 11 <= before <= 20:
        found.append(("5 from grade III", abs(change) >= 5))
    elif code == "midas_total" and before > 20:
        found.append(("30 % from grade IV", abs(change) * 100 >= 30 * before))
    return found


def hit6_totals(items: Sequence[int | None]) -> set[int]:
    """Every total that these items can still come to; what is not there yet may be any score."""
    known = [item for item in items if item is not None]
    totals = {sum(known)}
    for _ in range(6 - len(known)):
        totals = {total + score for total in totals for score in HIT6_ITEM_SCORES}
    return totals


def hit6_band(total: int | None) -> str | None:
    """Little or none to 49, some to 55, substantial to 59, severe (L19)."""
    return _band(total, ((49, "little"), (55, "some"), (59, "substantial")), "severe")


def midas_total(items: list[int | None] | None) -> int | None:
    """The days of the five questions; None unless all five are answered."""
    return sum(items) if items and len(items) == 5 and None not in items else None


def midas_grade(total: int | None) -> str | None:
    """Grade I to 5, II to 10, III to 20 (L18), IVA to 40, IVB (K)."""
    return _band(total, ((5, "I"), (10, "II"), (20, "III"), (40, "IVA")), "IVB")


def midas_faults(items: list[int | None]) -> str:
    """Why the five day counts cannot be: days missed and days at half cannot be more than 92 together."""
    for first, second, what in ((0, 1, "work or school"), (2, 3, "the household")):
        if None not in (items[first], items[second]) and items[first] + items[second] > MIDAS_MOST_DAYS:
            return f"The days of {what} together are more than {MIDAS_MOST_DAYS}."
    return ""


def ndi(items: list[int | None] | None) -> dict | None:
    """{"raw", "answered", "percent"}: percent is 100 × raw / (5 × answered), None below 8 answered (L20, K)."""
    if items is None:
        return None
    answered = [item for item in items if item is not None]
    percent = None
    if len(answered) >= NDI_LEAST_ANSWERED:
        percent = _rounded(Decimal(100 * sum(answered)) / (5 * len(answered)))
    return {"raw": sum(answered) if answered else None, "answered": len(answered), "percent": percent}


def ndi_band(percent: Decimal | None) -> str | None:
    """None below 10 %, mild below 30, moderate below 50, severe below 70, complete (L20, K)."""
    if percent is None:
        return None
    steps = ((10, "none"), (30, "mild"), (50, "moderate"), (70, "severe"))
    return next((name for below, name in steps if percent < below), "complete")


def pgic_is_response(score: int | None) -> bool | None:
    """Global impression of change, 1 very much improved to 7 very much worse: 1 and 2 respond."""
    return None if score is None else score <= 2


def change(now, before):
    """Follow-up minus baseline; None when one is missing."""
    return None if now is None or before is None else now - before


def met(difference, limit) -> bool | None:
    """Whether a fall reaches the meaningful change (a negative number)."""
    return None if difference is None else difference <= limit


def responder(now: int | Decimal | None, before: int | Decimal | None) -> dict:
    """{"pct", "r30", "r50", "r75", "r100"} of days in 28; all None without a baseline above zero (reference 5.3)."""
    if now is None or not before:
        return {"pct": None, **dict.fromkeys(RESPONDER_STEPS)}
    exact = Decimal(100) * (Decimal(now) - Decimal(before)) / Decimal(before)
    return {"pct": _rounded(exact), **{name: exact <= limit for name, limit in RESPONDER_STEPS.items()}}
