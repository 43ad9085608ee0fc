"""What the catalogue calls normal: in words, as the value that "all normal" fills in, and what departs from it.

Pure. A finding without a norm departs from nothing: it is recorded and its trend watched. Norms that are only a
convention of ours (`is_convention`) are for clinicians; patients are never graded on them.
"""

from dataclasses import dataclass
from decimal import Decimal

from evaluations import clusters
from evaluations.catalogue import Entry

UNITS = {"deg": "°", "Cel": "°C", "mm[Hg]": "mmHg", "{score}": "", "{beats}": "beats", "{count}": "", "/min": "per min"}
_CHILDS_ADI = Decimal(5)


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
        said.append(f"usually {_amount(entry, entry.usual)}")
    low, high = entry.normal_from, entry.normal_to
    if low is not None and low == high:
        said.append(_amount(entry, low))
    elif low is not None and high is not None:
        said.append(f"{low} to {_amount(entry, high)}")
    elif low is not None:
        said.append(f"{_amount(entry, low)} or more")
    elif high is not None:
        said.append(f"up to {_amount(entry, high)}")
    if entry.established_to is not None:
        said.append(f"once established up to {_amount(entry, entry.established_to)}")
    if entry.greatest_difference is not None:
        difference = entry.greatest_difference
        said.append(f"left and right within {_amount(entry, difference)}" if difference else "left and right the same")
    if not entry.is_numeric and (normal := value(entry)) is not None:
        said.append(_spoken(normal))
    if entry.trend_only:
        said.append("no norm: watch the trend")
    return ", ".join(said)


def _amount(entry, number) -> str:
    unit = UNITS.get(entry.unit, entry.unit)
    return f"{number}{unit}" if unit.startswith("°") or not unit else f"{number} {unit}"


def _spoken(normal) -> str:
    if isinstance(normal, bool):
        return "yes" if normal else "no"
    if isinstance(normal, list):
        return ", ".join(str(one).replace("_", " ") for one in normal) or "none"
    return normal.replace("_", " ") or "no listing"


def is_known(entry: Entry) -> bool:
    """Whether anything could depart from a norm here at all."""
    limits = (entry.normal_from, entry.normal_to, entry.greatest_difference)
    by_age = entry.code in {"atlantodental_interval", "beighton_score"}
    return by_age or value(entry) is not None or any(limit is not None for limit in limits)


def departs(entry: Entry, found, who: Who, *, other_side=None) -> bool | None:
    """Whether a value departs from its norm; None when it was not assessed or has no norm."""
    if found is None:
        return None
    if entry.code == "atlantodental_interval":
        return clusters.adi_over_limit(found, age=who.age)
    if entry.code == "beighton_score":
        return clusters.beighton_positive(found, age=who.age)
    answers = [_outside(entry, found, who), _uneven(entry, found, other_side)]
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def _outside(entry, found, who) -> bool | None:
    if not entry.is_numeric:
        normal = value(entry)
        return None if normal is None else found != normal
    low, high = entry.normal_from, entry.normal_to
    if who.established and entry.established_to is not None:
        high = entry.established_to
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
        return f"Unusually low: below {_amount(entry, entry.warn_from)}. Is it right?"
    if entry.warn_to is not None and found > entry.warn_to:
        return f"Unusually high: above {_amount(entry, entry.warn_to)}. Is it right?"
    return ""
