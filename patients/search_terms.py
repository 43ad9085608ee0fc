"""Words by which a patient is found, and what a person typed as words: pure, so that both sides always agree."""

import re
from datetime import date
from difflib import SequenceMatcher

from clinic.text import folded

MAX_LENGTH = 200
MAX_WORDS = 8
LAST_DIGITS = (4, 7)
ANYBODY = " "  # every patient has one term that begins so: the whole name
_DROPPED = re.compile(r"['’ʼ`.,()~]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_PHONE = re.compile(r"[\d\s()+.-]{4,}", re.ASCII)
# Spellings of one sound, taken in this order; then vowels go, and what is doubled counts once.
_SOUNDS = (
    ("sch", "s"), ("ph", "f"), ("ck", "k"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("x", "ks"), ("v", "f"),
    ("z", "s"), ("c", "k"), ("q", "k"), ("d", "t"),
)  # fmt: skip
_SILENT = re.compile(r"[aeiouyhw]|(.)(?=\1)")
ALIKE = 0.6  # of 1, which is the same


def words(text: str) -> list[str]:
    """Folded words; O'Brien is obrien, Smith-Jones is both of its parts."""
    return _DROPPED.sub("", folded(text)).replace("-", " ").split()


def digits(phone: str) -> str:
    """The national number: no punctuation, no leading 1."""
    found = re.sub(r"\D", "", phone, flags=re.ASCII)
    return found[1:] if len(found) == 11 and found.startswith("1") else found


def sound(word: str) -> str:
    """`~smt` for Smith, Smyth and Schmidt: what is left of a name that was heard and not seen; empty for a number."""
    if is_number(word):
        return ""
    for spelling, one in _SOUNDS:
        word = word.replace(spelling, one)
    return "~" + (word[0] if word[0] in "aeiouy" else "") + _SILENT.sub("", word)


def terms(*, given_name: str, family_name: str, birth_date: date, phone: str, email: str) -> set[str]:
    """Everything a patient is found by, each followed by the other words of the name: `stone zoe`, `0142 stone zoe`.

    So a range of terms is in the order of what was typed, then of the name, and one row can answer for all its names.
    """
    names = [word[:MAX_LENGTH] for word in dict.fromkeys([*words(family_name), *words(given_name)])]
    number = digits(phone)
    others = {
        "",  # ANYBODY
        birth_date.isoformat(),
        *({number, *(number[-n:] for n in LAST_DIGITS)} if number else ()),
        *({folded(email)} if email else ()),
        *(sound(word) for word in names if sound(word)),
    }
    return {" ".join([first, *(word for word in names if word != first)])[:400] for first in {*names, *others}}


def asked(text: str) -> list[str]:
    """What was typed, as beginnings of words, the most telling first: numbers before names, long before short."""
    text = _AMERICAN.sub(lambda m: f"{m[3]}-{int(m[1]):02}-{int(m[2]):02}", text.strip())
    dates = [f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}" for m in _ISO.finditer(text)]
    rest = _ISO.sub(" ", text).strip()
    if not dates and re.fullmatch(r"\d{4}-\d{0,2}", rest, re.ASCII):
        return [rest]  # a birth date still being typed
    if _PHONE.fullmatch(rest):
        return [*dates, digits(rest)] if digits(rest) else dates
    mails = [folded(word) for word in rest.split() if "@" in word]
    names = words(" ".join(word for word in rest.split() if "@" not in word))
    return sorted(dict.fromkeys([*dates, *mails, *names]), key=lambda word: (is_name(word), -len(word)))


def is_number(word: str) -> bool:
    """A date, or a part of a phone number."""
    return word[0].isdecimal()


def is_name(word: str) -> bool:
    """Whether it can stand in the rest of a term; a number or a mail address is only found at the beginning of one."""
    return not is_number(word) and "@" not in word


def likeness(typed: list[str], name: str) -> float:
    """How well a name fits what was typed: for each typed word its best word, from 0 to 1, and the mean of them."""
    own = words(name)
    best = [max((SequenceMatcher(None, one, word).ratio() for word in own), default=0) for one in typed]
    return sum(best) / len(best)
