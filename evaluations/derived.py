"""What follows from a chart: every derived result, in the shape of a chart file's `derived`. Pure.

Each part takes plain values and answers None where an input is missing; the chart file and the pages both read it.
"""

from collections.abc import Mapping

from evaluations import catalogue, clusters, scoring
from evaluations.intake import criteria
from evaluations.readings import SIDES, Readings

# A resolution that lets a plan be activated, by tier; what was never answered has its own (reference 1.4).
_UNBLOCKS = {
    "emergency": {"cleared_external", "corrected_dual"},
    "urgent": {"cleared_external", "referred_no_manual_care", "corrected"},
    "caution": {"acknowledged_modified", "acknowledged_no_change", "cleared_external", "corrected"},
}
_UNANSWERED = {"unknown", "declined"}


def of_intake(intake: Mapping, *, age: int) -> dict:
    """Headache criteria and neck indicators; `age` in years at the first evaluation."""
    without_aura = criteria.without_aura(intake, age=age)
    return {
        "migraine_without_aura_criteria": without_aura.criteria,
        "migraine_without_aura_all_met": without_aura.met,
        "chronic_migraine_frequency_met": criteria.chronic_frequency(intake),
        "medication_overuse_exposure": criteria.overuse_exposure(intake),
        "neck_indicator_count": criteria.neck_indicator_count(intake),
    }


def of_red_flags(answers: Mapping[str, str], resolutions: Mapping[str, str]) -> dict:
    """From the answers at the screen and the resolutions noted for them, by code."""
    asked = {code: answers.get(code) for code in catalogue.RED_FLAGS}
    not_no = {code: answer for code, answer in asked.items() if answer != "no"}
    return {
        "red_flags_positive": sorted(code for code, answer in asked.items() if answer == "yes"),
        "red_flags_unanswered": sorted(code for code, answer in not_no.items() if answer != "yes"),
        "care_plan_blocked_at_screen": bool(not_no),
        "care_plan_blocked_at_plan_activation": any(
            not _unblocks(catalogue.RED_FLAGS[code].tier, answer, resolutions.get(code))
            for code, answer in not_no.items()
        ),
    }


def _unblocks(tier: str, answer: str | None, resolution: str | None) -> bool:
    if answer == "yes":
        return resolution in _UNBLOCKS[tier]
    if resolution == "acknowledged_unanswered":
        return tier != "emergency"
    return resolution == "answered_later"


def of_evaluation(readings: Readings, outcomes: Mapping, *, age: int, established: bool) -> dict:
    """Bands, flags and clusters of one evaluation. `established`: not the patient's first."""
    ndi = scoring.ndi(outcomes.get("ndi_items"))
    midas = scoring.midas_total(outcomes.get("midas_items"))
    return {
        "cva_band": clusters.cva_band(readings.value("craniovertebral_angle")),
        "lli_flag": clusters.lli_flag(readings.value("leg_length_inequality"), established=established),
        "bp_class": clusters.bp_classes(readings),
        "rom_active_flags": clusters.motion_flags(readings),
        "frt_positive": clusters.frt_positive(*readings.sides("frt").values()),
        "beighton_positive": clusters.beighton_positive(readings.value("beighton_score"), age=age),
        "adi_over_limit": clusters.adi_over_limit(readings.value("atlantodental_interval"), age=age),
        "part": clusters.part(readings, established=established),
        "cook_myelopathy_count": clusters.cook(readings, age=age).count,
        "wainner_count": {side: clusters.wainner(readings, side).count for side in SIDES},
        "hit6_band": scoring.hit6_band(outcomes.get("hit6_total")),
        "midas_total": midas,
        "midas_grade": scoring.midas_grade(midas),
        "ndi": ndi,
        "ndi_band": scoring.ndi_band(ndi and ndi["percent"]),
        "nprs_neck_band": scoring.nprs_band(outcomes.get("nprs_neck")),
    }


def of_change(before: Mapping, now: Mapping) -> dict:
    """From one set of outcomes to a later one; differences are later minus earlier."""

    def difference(value_of):
        return scoring.change(value_of(now), value_of(before))

    hit6 = difference(lambda outcomes: outcomes.get("hit6_total"))
    return {
        "migraine_days": scoring.responder(now.get("migraine_days_28"), before.get("migraine_days_28")),
        "headache_days": scoring.responder(now.get("headache_days_28"), before.get("headache_days_28")),
        "hit6": hit6,
        "hit6_mic_met": scoring.met(hit6, scoring.HIT6_MIC),
        "ndi_percent": difference(lambda outcomes: (scoring.ndi(outcomes.get("ndi_items")) or {}).get("percent")),
        "nprs_neck": difference(lambda outcomes: outcomes.get("nprs_neck")),
        "midas": difference(lambda outcomes: scoring.midas_total(outcomes.get("midas_items"))),
    }
