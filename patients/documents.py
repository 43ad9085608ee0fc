"""What is shown to be signed, as plain values: the page, the print and the digest are all of these and nothing else.

A document is a dict of `title`, `facts` (pairs of label and value) and `sections`, each with `heading`, and `text` or
`items` (lists of sentences); what is `asked` stands on the page as boxes to tick. It holds text alone, so that the same
words give the same digest on every machine.
"""

import hashlib
import json


def canonical(document: dict) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(document: dict) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def section(heading: str, *, text=(), items=(), asked: bool = False) -> dict:
    said = {"heading": heading, "text": [str(one) for one in text], "items": [str(one) for one in items]}
    return said | ({"asked": True} if asked else {})
