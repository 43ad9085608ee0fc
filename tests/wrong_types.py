"""What a field of a JSON body can be given that is of another type than it takes."""

KINDS = {
    "null": [None],
    "text": ["x", "", "7", "true"],
    "number": [7, 0, 1.5],
    "truth": [True, False],
    "list": [["x"], []],
    "object": [{"x": 1}, {}],
}
EVERYTHING = [value for values in KINDS.values() for value in values]


def wrong(sound: dict, fields: dict):
    """Of a sound body and the kinds that each of its fields takes: (field, body) to refuse."""
    for field, right in fields.items():
        for kind, values in KINDS.items():
            if kind not in right.split():
                yield from ((field, {**sound, field: value}) for value in values)


def taken(answer_to, sound: dict, fields: dict) -> list[str]:
    """Sentences about bodies that were not refused with 400 and the field named; a refused one leaves nothing behind,
    so that one record serves for all.
    """
    faults = []
    for field, body in wrong(sound, fields):
        answer = answer_to(body)
        named = {name.split(".")[0] for name in answer.json().get("fields", {})} if answer.status_code == 400 else set()
        if named != {field}:
            faults.append(f"{field}={body[field]!r}: {answer.status_code} {answer.content[:200]}")
    return faults
