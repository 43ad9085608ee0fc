"""What may be typed: nothing invisible, nothing that breaks a mail header, a page or the database."""

import unicodedata

from django.core.exceptions import ValidationError

from clinic.errors import RuleBroken

_BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def clean_line(value: str) -> None:
    """Refuse control, bidirectional and line-breaking characters, lone surrogates, and text with nothing visible."""
    for character in value:
        category = unicodedata.category(character)
        if category in {"Cc", "Cs", "Zl", "Zp"} or ord(character) in _BIDI:
            raise ValidationError("Remove the invisible or control characters.", code="control_character")
    if value and not any(unicodedata.category(c)[0] in "LNPS" for c in value):
        raise ValidationError("Enter something that can be read.", code="nothing_visible")


def clean_note(value: str) -> None:
    """As `clean_line`, but line breaks and tabs are text."""
    clean_line(value.replace("\r", "").replace("\n", " ").replace("\t", " "))


def number_or_text(text: str) -> int | str:
    """A whole number if one was typed, else the text: the rule says what it needs."""
    text = text.strip()
    return int(text) if len(text) < 10 and text.isascii() and text.removeprefix("-").isdigit() else text


def folded(value: str) -> str:
    """For comparing and searching names: case, accents and width do not count."""
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def checked_reason(reason: str, *, needed: str = "", most: int = 200) -> str:
    """The reason without blanks round it; `needed` is what to say when there is none. Raises RuleBroken `invalid`."""
    reason = reason.strip()
    try:
        if len(reason) > most:
            raise ValidationError(f"At most {most} characters.")
        clean_line(reason)
        if needed and not reason:
            raise ValidationError(needed)
    except ValidationError as error:
        message = error.messages[0]
        raise RuleBroken(message, code="invalid", fields={"reason": message}, status=400) from None
    return reason
