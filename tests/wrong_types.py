"""What a field of a JSON body can be given that is of another type than it takes."""

import pytest

KINDS = {
    "null": [None],
    "text": ["x", "", "7", "true"],
    "number": [7, 0, 1.5],
    "truth": [True, False],
    "list": [["x"], []],
    "object": [{"x": 1}, {}],
}
EVERYTHING = [value for values in KINDS.values() for value in values]


def cases(bodies: dict) -> list:
    """Of {(method, address): (a sound body, {field: kinds it takes})}: (method, address, body, field) to refuse."""
    return [
        pytest.param(*way, {**sound, field: value}, field, id=f"{way[0]} {way[1]} {field}={value!r}")
        for way, (sound, fields) in bodies.items()
        for field, right in fields.items()
        for kind, values in KINDS.items()
        if kind not in right.split()
        for value in values
    ]
