"""Words by which a patient is found, and what a person typed as words: pure, so that both sides always agree."""

import re

from clinic.text import folded

MAX_LENGTH = 200
MAX_WORDS = 8
_DROPPED = re.compile(r"['’ʼ`.,()]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_PHONE = re.compile(r"[\d\s()+.-]{4,}", re.ASCII)
LAST_DIGITS = (4, 7)


def words(text: str) -> list[str]:
    """Folded words; O'Brien is obrien, Smith-Jones is both of its parts."""
    return _DROPPED.sub("", folded(text)).replace("-", " ").split()


def digits(phone: str) -> str:
    """The national number: no punctuation, no leading 1."""
    found = re.sub(r"\D", "", phone, flags=re.ASCII)
    return found[1:] if len(found) == 11 and found.startswith("1") else found


def terms(*, names: list[str], birth_date, phone: str) -> set[str]:
    """Everything a patient is found by."""
    number = digits(phone)
    return {
        *(word[:MAX_LENGTH] for name in names for word in words(name)),
        birth_date.isoformat(),
        *({number, *(number[-n:] for n in LAST_DIGITS)} if number else ()),
    }


def asked(text: str) -> list[str]:
    """What was typed, as prefixes that must each begin one of a patient's terms."""
    text = _AMERICAN.sub(lambda m: f"{m[3]}-{int(m[1]):02}-{int(m[2]):02}", text.strip())
    dates = [f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}" for m in _ISO.finditer(text)]
    rest = _ISO.sub(" ", text).strip()
    if not dates and re.fullmatch(r"\d{4}-\d{0,2}", rest, re.ASCII):
        return [rest]  # a birth date still being typed
    if _PHONE.fullmatch(rest):
        return [*dates, digits(rest)] if digits(rest) else dates
    return list(dict.fromkeys([*dates, *words(rest)]))
