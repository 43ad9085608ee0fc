"""The codes of the catalogue in the words of the field, wherever a person reads one. Pure."""

# Names and abbreviations; any other code is its own words with spaces between.
_NAMES = {
    "scm": "sternocleidomastoid",
    "achilles": "Achilles",
    "trendelenburg": "Trendelenburg",
    "crom": "CROM",
    "dual_inclinometer": "two inclinometers",
    "xray": "X-ray",
    "cbct": "CBCT",
    "ct": "CT",
    "mri": "MRI",
    "cta_mra": "CTA or MRA",
    "apom": "APOM (open mouth)",
    "ap_lower_cervical": "AP lower cervical",
    "blair_protracto_left": "Blair protracto left",
    "blair_protracto_right": "Blair protracto right",
    "palmer_hio": "Palmer HIO",
    "gonstead": "Gonstead",
    "blair": "Blair",
    "nucca": "NUCCA",
    "atlas_orthogonal": "Atlas Orthogonal",
    "knee_chest": "knee-chest",
    "clinic_0_4": "0 to 4 of the clinic",
    "ninds": "0 to 4 of NINDS",
}


def spoken(code: str) -> str:
    """`left_lateral_flexion` as `left lateral flexion`, `scm` as `sternocleidomastoid`."""
    return _NAMES.get(code) or code.replace("_", " ")


def heading(code: str) -> str:
    """The same as it begins a line: `Left lateral flexion`, and `CROM` stays."""
    words = spoken(code)
    return words[:1].upper() + words[1:]
