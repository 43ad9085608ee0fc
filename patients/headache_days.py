"""The arithmetic of the headache diary (reference 5.3): from attacks to headache days, migraine days and windows. Pure.

Days are dates in the patient's zone; lengths are elapsed time, so that an attack in the night of a clock change is as
long as it was. Nothing is guessed: a feature that was not answered is unknown, a window with too few recorded days has
no monthly value. Every migraine number carries the name of its definition, and definitions are never mixed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from clinic import times
from clinic.unknowns import Answer, all_of, any_of, at_least

LEAST_MINUTES = 30
# Minutes of headache from which an attack can make a migraine day (L30).
DEFINITIONS = {"vdArend2023": 30, "IHS_4h": 240}
DEFAULT_DEFINITION = "vdArend2023"
MODERATE = 4  # of 10
MIGRAINE_SPECIFIC = {"triptan", "ergot", "gepant", "ditan"}
AURA_MINUTES = range(5, 61)
WINDOW_DAYS, LEAST_RECORDED = 28, 14
ONE_ATTACK_WITHIN = timedelta(hours=24)
LONGEST_HOURS = 744  # an attack that seems longer was never closed


@dataclass(frozen=True)
class Attack:
    """One headache as it was written down; instants are aware, features True, False or None (not answered)."""

    onset: datetime
    end: datetime | None = None
    peak: int | None = None
    unilateral: Answer = None
    pulsating: Answer = None
    worse_with_activity: Answer = None
    nausea: Answer = None
    vomiting: Answer = None
    photophobia: Answer = None
    phonophobia: Answer = None
    aura_minutes: int | None = None
    medication: tuple[tuple[str, int], ...] = ()  # (class, doses)

    def __post_init__(self):
        # Two instants of one zone would be subtracted by their wall clocks, an hour off when the clocks change between.
        for name in ("onset", "end"):
            if moment := getattr(self, name):
                object.__setattr__(self, name, moment.astimezone(UTC))


def elapsed_minutes(attack: Attack) -> int | None:
    """Whole minutes from onset to end; None while it goes on."""
    return None if attack.end is None else int((attack.end - attack.onset).total_seconds() // 60)


def minutes_by_day(attack: Attack, zone: str) -> dict[date, int]:
    """The elapsed minutes of an ended attack on each local date it touches; an end at midnight touches no new date."""
    found, day = {}, times.day_of(attack.onset, zone)
    while True:
        first, last = times.day_bounds(day, zone)
        if first >= attack.end:
            return found or {day: 0}
        inside = min(last, attack.end) - max(first, attack.onset)
        found[day] = int(inside.total_seconds() // 60)
        day += timedelta(days=1)


def local_days(attack: Attack, zone: str) -> list[date]:
    """The local dates that the attack touches; of one that goes on, the date it began."""
    return [times.day_of(attack.onset, zone)] if attack.end is None else list(minutes_by_day(attack, zone))


def headache_days(
    attack: Attack, zone: str, *, today: date | None = None, free_days: Collection[date] = ()
) -> set[date]:
    """The dates that count: 30 minutes or more of it, or the date it began when only the whole of it lasts so long.

    One that goes on counts the date it began and each later date up to `today`, until a date answered "no headache".
    """
    begun = times.day_of(attack.onset, zone)
    if attack.end is None:
        days = {begun}
        day = begun + timedelta(days=1)
        while today is not None and day <= today and day not in free_days:
            days.add(day)
            day += timedelta(days=1)
        return days
    if elapsed_minutes(attack) < LEAST_MINUTES:
        return set()  # a short headache: kept, not counted
    return {day for day, minutes in minutes_by_day(attack, zone).items() if minutes >= LEAST_MINUTES} or {begun}


def is_migraine(attack: Attack, *, definition: str = DEFAULT_DEFINITION) -> Answer:
    """Whether the attack makes migraine days: by its features, an aura of 5–60 minutes, or a migraine-specific drug."""
    lasted = elapsed_minutes(attack)
    least = DEFINITIONS[definition]
    by_features = all_of(
        [
            None if lasted is None else lasted >= least,
            at_least(
                2,
                [
                    attack.unilateral,
                    attack.pulsating,
                    None if attack.peak is None else attack.peak >= MODERATE,
                    attack.worse_with_activity,
                ],
            ),
            any_of([attack.nausea, attack.vomiting, all_of([attack.photophobia, attack.phonophobia])]),
        ]
    )
    by_aura = None if attack.aura_minutes is None else attack.aura_minutes in AURA_MINUTES
    by_drug = any(doses > 0 and drug in MIGRAINE_SPECIFIC for drug, doses in attack.medication)
    return any_of([by_features, by_aura, by_drug])


def migraine_days(attack: Attack, zone: str, *, definition: str = DEFAULT_DEFINITION, **until) -> set[date]:
    """The headache days of a migraine attack; the date it began when aura or drug alone make it one."""
    if not is_migraine(attack, definition=definition):
        return set()
    return headache_days(attack, zone, **until) or {times.day_of(attack.onset, zone)}


def medication_days(attacks: Iterable[Attack], zone: str) -> set[date]:
    """Dates with a dose of any acute drug, by the date the attack began."""
    return {times.day_of(attack.onset, zone) for attack in attacks if any(doses > 0 for _, doses in attack.medication)}


def chains(attacks: Iterable[Attack]) -> list[list[Attack]]:
    """Entries less than 24 hours apart are one attack (K)."""
    found: list[list[Attack]] = []
    for attack in sorted(attacks, key=lambda one: one.onset):
        last_end = max((one.end or one.onset for one in found[-1]), default=None) if found else None
        if last_end is not None and attack.onset - last_end < ONE_ATTACK_WITHIN:
            found[-1].append(attack)
        else:
            found.append([attack])
    return found


@dataclass(frozen=True)
class Window:
    """28 local days and what was counted in them; `definition` is how a migraine day was told, or the paper's own."""

    first: date
    last: date
    recorded_days: int
    headache_days: int
    migraine_days: int
    acute_med_days: int
    definition: str

    def monthly(self, count: int) -> Decimal | None:
        """A count as if all 28 days were recorded; None with fewer than 14 (trial convention, K)."""
        if self.recorded_days < LEAST_RECORDED:
            return None
        return (Decimal(count) * WINDOW_DAYS / self.recorded_days).quantize(Decimal("0.1"), ROUND_HALF_UP)


def window(
    last: date,
    attacks: Iterable[Attack],
    free_days: Collection[date],
    zone: str,
    *,
    definition: str = DEFAULT_DEFINITION,
) -> Window:
    """The 28 days up to and with `last`. A day is recorded by "no headache" or by any headache written down for it."""
    attacks = list(attacks)
    days = {last - timedelta(days=n) for n in range(WINDOW_DAYS)}
    headache, migraine, written = set(), set(), set(free_days)
    for attack in attacks:
        headache |= headache_days(attack, zone, today=last, free_days=free_days)
        migraine |= migraine_days(attack, zone, definition=definition, today=last, free_days=free_days)
        written |= set(local_days(attack, zone))
    return Window(
        first=min(days),
        last=last,
        recorded_days=len(days & (written | headache)),
        headache_days=len(days & headache),
        migraine_days=len(days & migraine),
        acute_med_days=len(days & medication_days(attacks, zone)),
        definition=definition,
    )
