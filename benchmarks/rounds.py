"""Interleaved rounds: the same question to each contestant in turn, medians, and their ratios against an aim.

Milliseconds of one run say little on a shared machine; the ratio of two medians of the same rounds says much.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Aim:
    """`over` divided by `under` is to be at most, or at least, so much."""

    over: str
    under: str
    at_most: float | None = None
    at_least: float | None = None

    def judge(self, medians: dict[str, float]) -> dict:
        ratio = medians[self.over] / medians[self.under]
        met = ratio <= self.at_most if self.at_most is not None else ratio >= self.at_least
        wanted = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        return {"what": f"{self.over} / {self.under}", "ratio": round(ratio, 2), "aim": wanted, "met": met}


@dataclass
class Figure:
    """One measurement of one engine: medians in ms, what they were made of, and how the aims stand."""

    name: str
    engine: str
    median_ms: dict[str, float] = field(default_factory=dict)
    raw_ms: dict[str, list[float]] = field(default_factory=dict)
    aims: list[dict] = field(default_factory=list)
    notes: dict = field(default_factory=dict)

    def as_json(self) -> dict:
        return asdict(self)


def equal(name: str, contestants: dict[str, Callable]) -> None:
    """Nothing is timed before all give the same answer."""
    answers = {who: ask() for who, ask in contestants.items()}
    first, *others = answers
    for other in others:
        if answers[first] != answers[other]:
            sys.exit(f"{name}: {first} and {other} differ:\n{answers[first]}\n{answers[other]}")


def race(contestants: dict[str, Callable], *, rounds: int, times_a_round: dict | int = 1) -> dict[str, list[float]]:
    """Milliseconds of one call, for each round; who begins changes from round to round.

    Of several calls a round it is their median: where something else takes the processor for a while, it takes it from
    one of them, and oftener from whoever is longer at it.
    """
    order = list(contestants)
    raw = {who: [] for who in order}
    for number in range(rounds):
        turn = number % len(order)
        for who in order[turn:] + order[:turn]:
            calls = times_a_round if isinstance(times_a_round, int) else times_a_round.get(who, 1)
            ask = contestants[who]
            gc.collect()
            took = []
            for _ in range(calls):
                begun = time.perf_counter()
                ask()
                took.append(time.perf_counter() - begun)
            raw[who].append(statistics.median(took) * 1000)
    return raw


def figure(name: str, engine: str, raw: dict[str, list[float]], aims=(), **notes) -> Figure:
    medians = {who: statistics.median(values) for who, values in raw.items()}
    return Figure(
        name=name,
        engine=engine,
        median_ms={who: round(value, 3) for who, value in medians.items()},
        raw_ms={who: [round(value, 3) for value in values] for who, values in raw.items()},
        aims=[aim.judge(medians) for aim in aims],
        notes=notes,
    )
