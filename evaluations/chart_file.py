"""The findings of a chart file (the JSON by which a chart is brought in and taken out) and back.

A chart file nests findings by place, `rom.active.flexion.degrees`; here each is one finding with qualifiers. Pure.
"""

from evaluations import catalogue

GROUPS = ("vitals", "posture", "alignment", "rom", "neuro")
_SIDES = ("left", "right")
_MOTION_FIELD = {
    "rom_pain": "pain",
    "rom_pain_site": "pain_site",
    "rom_headache_reproduced": "headache_reproduced",
    "rom_end_feel": "end_feel",
}


def path_of(code: str, qualifiers: dict[str, str]) -> tuple[str, ...]:
    """Where a finding stands in the file, from the evaluation down."""
    entry = catalogue.FINDINGS[code]
    group = entry.section.split("_")[0]
    if code.startswith("bp_"):
        return "vitals", "bp", *_side(qualifiers), code.removeprefix("bp_")
    if code == "rom_instrument":
        return "rom", "instrument"
    if "mode" in qualifiers:
        motion = qualifiers.get("motion") or code.removeprefix("rom_")
        return "rom", qualifiers["mode"], motion, _MOTION_FIELD.get(code, "degrees")
    if "segment" in qualifiers:
        return "alignment", "segments", qualifiers["segment"], code, *_side(qualifiers)
    if "muscle" in qualifiers:
        return "alignment", "muscles", qualifiers["muscle"], code, *_side(qualifiers)
    where = [qualifiers[name] for name in ("level", "nerve", "reflex") if name in qualifiers]
    return group, code, *where, *_side(qualifiers)


def _side(qualifiers):
    return (qualifiers["side"],) if "side" in qualifiers else ()


def _places():
    """Every path with its code and qualifiers; also the path of both sides at once."""
    places = {}
    for entry in catalogue.FINDINGS.values():
        for place in entry.places():
            places[path_of(entry.code, place)] = (entry.code, place)
            both = {name: value for name, value in place.items() if name != "side"}
            places.setdefault(path_of(entry.code, both), (entry.code, both))
    return places


_PLACES = _places()


class UnknownPath(Exception):  # noqa: N818 -- reads as the sentence it is
    """The file holds something the catalogue does not know; the message is its JSON path."""


def _leaves(node, path):
    if isinstance(node, dict) and isinstance(node.get("status"), str):
        yield path, node
    elif isinstance(node, dict):
        for name, inner in node.items():
            yield from _leaves(inner, (*path, name))
    else:
        raise UnknownPath(".".join(path))


def read_findings(evaluation: dict) -> list[dict]:
    """The findings of `baseline.evaluation` in the shape that `recording.save` takes.

    Values are passed on as they are: whether they fit is the recording's to say. Raises UnknownPath.
    """
    findings = []
    for group in GROUPS:
        for path, leaf in _leaves(evaluation.get(group, {}), (group,)):
            if path not in _PLACES:
                raise UnknownPath(".".join(path))
            code, qualifiers = _PLACES[path]
            finding = {"code": code, "qualifiers": dict(qualifiers), "status": leaf["status"]}
            finding["value"] = leaf.get("value")
            finding |= {name: leaf[name] for name in ("direction", "reason", "note") if name in leaf}
            findings.append(finding)
    return findings


def write_findings(findings: list[dict]) -> dict:
    """The groups of a chart file's evaluation; the reverse of `read_findings`."""
    tree = {group: {} for group in GROUPS}
    for finding in findings:
        entry = catalogue.FINDINGS[finding["code"]]
        leaf = {"status": finding["status"], "value": finding["value"]}
        if finding["status"] == "assessed" and entry.unit:
            leaf["unit"] = entry.unit
        leaf |= {name: finding[name] for name in ("direction", "reason", "note") if finding.get(name)}
        node = tree
        *above, last = path_of(finding["code"], finding["qualifiers"])
        for name in above:
            node = node.setdefault(name, {})
        node[last] = leaf
    return tree
