"""What the catalogue calls normal: in words, as the value that "all normal" fills in, and what departs from it.

Pure. A finding without a norm departs from nothing: it is recorded and its trend watched. Norms that are only a
convention of ours (`is_convention`) are for clinicians; patients are never graded on them.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from evaluations import clusters, field_words
from evaluations.catalogue import NOT_TESTABLE, Entry
from evaluations.readings import Readings

UNITS = {"deg": "°", "Cel": "°C", "mm[Hg]": "mmHg", "{score}": "", "{beats}": "beats", "{count}": "", "/min": "per min"}
NINDS_NORMAL_TO = Decimal(3)
_OTHER = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Who:
    """What norms depend on: age in years, and whether this is an established patient."""

    age: int
    established: bool = False


def value(entry: Entry):
    """The one value that is normal, or None where a number has to be measured."""
    if entry.normal_value is not None:
        return entry.normal_value
    if entry.kind == "positive_negative":
        return "negative"
    return entry.normal_from if entry.normal_from is not None and entry.normal_from == entry.normal_to else None


def words(entry: Entry) -> str:
    """`60 to 100 per min`, `50° or more`, `left and right within 2.5 kg`, `negative`; empty where nothing is normal."""
    said = []
    if entry.usual is not None:
        said.append(f"usually {amount(entry, entry.usual)}")
    low, high = entry.normal_from, entry.normal_to
    if low is not None and low == high:
        said.append(amount(entry, low))
    elif low is not None and high is not None:
        said.append(f"{low} to {amount(entry, high)}")
    elif low is not None:
        said.append(f"{amount(entry, low)} or more")
    elif high is not None:
        said.append(f"up to {amount(entry, high)}")
    if entry.established_to is not None:
        said.append(f"once established up to {amount(entry, entry.established_to)}")
    if entry.greatest_difference is not None:
        difference = entry.greatest_difference
        said.append(f"left and right within {amount(entry, difference)}" if difference else "left and right the same")
    if not entry.is_numeric and (normal := value(entry)) is not None:
        said.append(_spoken(normal))
    if entry.trend_only:
        said.append("no norm: watch the trend")
    return ", ".join(said)


def amount(entry, number) -> str:
    """The number with its unit, as it is said."""
    unit = UNITS.get(entry.unit, entry.unit)
    return f"{number}{unit}" if unit.startswith("°") or not unit else f"{number} {unit}"


def _spoken(normal) -> str:
    if isinstance(normal, bool):
        return "yes" if normal else "no"
    if isinstance(normal, list):
        return ", ".join(map(field_words.spoken, normal)) or "none"
    return field_words.spoken(normal) or "no listing"


def is_known(entry: Entry) -> bool:
    """Whether anything could depart from a norm here at all."""
    limits = (entry.normal_from, entry.normal_to, entry.greatest_difference)
    by_age = entry.code in {"atlantodental_interval", "beighton_score"}
    return by_age or value(entry) is not None or any(limit is not None for limit in limits)


def beside(entry: Entry, place: dict[str, str], readings: Readings):
    """The value that this one is judged beside: the other side's, or how long the eyes open held; None without one."""
    if entry.code == "romberg_seconds":
        return readings.value("romberg_eyes_open_seconds")
    if entry.greatest_difference is None or "side" not in place:
        return None
    return readings.value(entry.code, **{**place, "side": _OTHER[place["side"]]})


def on_scale(entry: Entry, readings: Readings) -> Entry:
    """The entry with the norm of the scale that was used: NINDS calls a reflex of 2 and of 3 normal (L40)."""
    if entry.code == "reflex" and readings.value("reflex_scale") == "ninds":
        return replace(entry, normal_to=NINDS_NORMAL_TO)
    return entry


def stands_out(entry: Entry, place: dict[str, str], found, readings: Readings, who: Who) -> bool | None:
    """`departs` of a value found at a place, with all that it is judged beside and by."""
    return departs(on_scale(entry, readings), found, who, beside=beside(entry, place, readings))


def departs(entry: Entry, found, who: Who, *, beside=None) -> bool | None:
    """Whether a value departs from its norm, `beside` what `beside()` found for it.

    None when it was not assessed, was not testable or has no norm, and when what it is judged beside is missing.
    """
    if found is None or found == NOT_TESTABLE:
        return None
    if entry.code == "frt":  # only the side that is lower stands out
        return clusters.frt_positive(found, beside)["left"]
    if entry.code == "romberg_seconds":
        return clusters.romberg_positive(found, beside)
    if entry.code == "atlantodental_interval":
        return clusters.adi_over_limit(found, age=who.age)
    if entry.code == "beighton_score":
        return clusters.beighton_positive(found, age=who.age)
    answers = [_outside(entry, found, who), _uneven(entry, found, beside)]
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def _outside(entry, found, who) -> bool | None:
    if not entry.is_numeric:
        normal = value(entry)
        return None if normal is None else found != normal
    low, high = entry.normal_from, entry.normal_to
    if who.established and entry.established_to is not None:
        high = entry.established_to
    if entry.stands_out_below is not None or entry.stands_out_above is not None:
        low, high = entry.stands_out_below, entry.stands_out_above
    if low is None and high is None:
        return None
    return (low is not None and found < low) or (high is not None and found > high)


def _uneven(entry, found, other_side) -> bool | None:
    if entry.greatest_difference is None or other_side is None:
        return None
    return abs(found - other_side) > entry.greatest_difference


def warning(entry: Entry, found) -> str:
    """A soft limit was passed: the value is kept, and whoever typed it is asked. Empty when nothing is unusual."""
    if found is None or not entry.is_numeric:
        return ""
    if entry.warn_from is not None and found < entry.warn_from:
        return f"Unusually low: below {amount(entry, entry.warn_from)}. Is it right?"
    if entry.warn_to is not None and found > entry.warn_to:
        return f"Unusually high: above {amount(entry, entry.warn_to)}. Is it right?"
    return ""
