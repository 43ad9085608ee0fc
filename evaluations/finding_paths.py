"""The findings of a chart file (the JSON by which a chart is brought in and taken out) and back.

A chart file nests findings by place, `rom.active.flexion.degrees`; here each is one finding with qualifiers. Pure.
"""

from evaluations import catalogue
from evaluations.entry import both_sides

# What a file may say of a finding besides (reference 0.1); it is kept and given back.
_BESIDES = {"instrument", "observer", "observed_at"}
_LEAF = {"status", "value", "unit", "direction", "reason", "note", "readings", *_BESIDES}
_AS_IT_IS = ("direction", "reason", "note", "readings")
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
            both = both_sides.without_side(place)
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


def read_with_paths(evaluation: dict) -> tuple[dict[str, dict], dict[str, str]]:
    """The findings by their path in `evaluation`, in the shape that `recording.save` takes, and the faults by path.

    Values are passed on as they are: whether they fit is for `checking` to say.
    """
    findings, faults = {}, {}
    for group in GROUPS:
        try:
            leaves = list(_leaves(evaluation.get(group, {}), (group,)))
        except UnknownPath as unknown:
            faults[str(unknown)] = "A finding is an object with a status."
            continue
        for path, leaf in leaves:
            name = ".".join(path)
            if path not in _PLACES:
                faults[name] = "There is no such finding."
                continue
            code, qualifiers = _PLACES[path]
            if wrong := _leaf_fault(catalogue.FINDINGS[code], leaf):
                faults[f"{name}.{wrong[0]}"] = wrong[1]
            finding = {"code": code, "qualifiers": dict(qualifiers), "status": leaf["status"]}
            finding["value"] = leaf.get("value")
            findings[name] = finding | {key: leaf[key] for key in _AS_IT_IS if key in leaf}
    return findings, faults


def _leaf_fault(entry, leaf) -> tuple[str, str] | None:
    if unknown := sorted(set(leaf) - _LEAF):
        return unknown[0], "There is no such field."
    for name in _BESIDES & set(leaf):
        if leaf[name] is not None and not (isinstance(leaf[name], str) and len(leaf[name]) <= 200):
            return name, "Give text of at most 200 characters."
    if leaf.get("unit") not in (None, entry.unit):
        return "unit", f"The unit is {entry.unit}."
    return None


def read_findings(evaluation: dict) -> list[dict]:
    """The findings of a file that has no fault of its own. Raises UnknownPath."""
    findings, faults = read_with_paths(evaluation)
    if faults:
        raise UnknownPath(next(iter(faults)))
    return list(findings.values())


def write_findings(findings: list[dict]) -> dict:
    """The groups of a chart file's evaluation; the reverse of `read_findings`."""
    tree = {group: {} for group in GROUPS}
    there = {(finding["code"], catalogue.key_of(finding["qualifiers"])) for finding in findings}
    for finding in findings:
        entry = catalogue.FINDINGS[finding["code"]]
        leaf = {"status": finding["status"], "value": finding["value"]}
        if finding["status"] == "assessed" and entry.unit:
            leaf["unit"] = entry.unit
        leaf |= {name: finding[name] for name in _AS_IT_IS if finding.get(name)}
        for place in _where(entry, finding["qualifiers"], there):
            node = tree
            *above, last = path_of(finding["code"], place)
            for name in above:
                node = node.setdefault(name, {})
            node[last] = leaf
    return tree


def _where(entry, place, there) -> list[dict]:
    """The places the finding is written to: one that stands for both sides beside one side only, to the other side."""
    if entry.side != "left_right" or "side" in place:
        return [place]
    sides = [{**place, "side": side} for side in _SIDES]
    free = [one for one in sides if (entry.code, catalogue.key_of(one)) not in there]
    return [place] if len(free) == len(sides) else free


def besides(evaluation: dict) -> dict[str, dict]:
    """What the file says of single findings besides their value, by path; the file was checked before."""
    found = {}
    for group in GROUPS:
        for path, leaf in _leaves(evaluation.get(group, {}), (group,)):
            if more := {name: leaf[name] for name in sorted(_BESIDES & set(leaf))}:
                found[".".join(path)] = more
    return found


def put_back(evaluation: dict, besides: dict[str, dict]) -> None:
    """The reverse of `besides`, on findings that are still there."""
    for name, more in besides.items():
        node = evaluation
        for step in name.split("."):
            node = node.get(step, {}) if isinstance(node, dict) else {}
        if "status" in node:
            node |= more
