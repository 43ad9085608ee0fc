"""Yes, no and unknown: answers are True, False or None, and an unknown is never taken for a no. Pure."""

from collections.abc import Iterable

Answer = bool | None


def all_of(answers: Iterable[Answer]) -> Answer:
    """False if one is false; None if none is and one is unknown; True when all are true."""
    answers = list(answers)
    return False if False in answers else None if None in answers else True


def any_of(answers: Iterable[Answer]) -> Answer:
    """True if one is true; None if none is and one is unknown, or if there is none to go by; else False."""
    answers = list(answers)
    return True if True in answers else None if None in answers or not answers else False


def at_least(needed: int, answers: Iterable[Answer]) -> Answer:
    """Whether so many are true, whatever the unknown ones turn out to be; None if those decide."""
    answers = list(answers)
    sure, open_ = answers.count(True), answers.count(None)
    return True if sure >= needed else None if sure + open_ >= needed else False
