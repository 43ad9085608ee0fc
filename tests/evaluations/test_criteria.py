"""Headache criteria at each boundary, and that an unknown input is never taken for an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluations.intake import criteria

MIGRAINE = {
    "lifetime_attacks": 5, "attack_hours_min": 4, "attack_hours_max": 72, "unilateral": True, "pulsating": True,
    "moderate_or_severe": False, "worse_with_activity": False, "nausea_or_vomiting": False, "photophobia": True,
    "phonophobia": True,
}  # fmt: skip


def met(age=30, **changes):
    return criteria.without_aura({**MIGRAINE, **changes}, age=age).met


def test_migraine_without_aura_at_its_limits():
    assert met() is True
    assert met(lifetime_attacks=4) is False
    assert met(attack_hours_min=3) is False
    assert met(attack_hours_max=73) is False
    assert met(age=17, attack_hours_min=2) is True
    assert met(age=18, attack_hours_min=2) is False
    assert met(age=17, attack_hours_min=1) is False
    assert met(pulsating=False) is False
    assert met(phonophobia=False) is False
    assert met(phonophobia=False, nausea_or_vomiting=True) is True


def test_an_unknown_answer_counts_only_where_it_decides():
    assert met(moderate_or_severe=None) is True
    assert met(pulsating=None) is None
    assert met(pulsating=None, unilateral=False) is False
    assert met(phonophobia=None) is None
    assert met(phonophobia=None, photophobia=False) is False
    assert met(lifetime_attacks=None) is None
    assert met(lifetime_attacks=None, attack_hours_min=1) is False


AURA = {"present": True, "types": ["visual"], "minutes_each": 20, "gradual_spread": True, "successive": False,
        "unilateral": True, "positive": False, "headache_within_60": False}  # fmt: skip


def aura(attacks=2, **changes):
    return criteria.with_aura({"lifetime_attacks": attacks, "aura": {**AURA, **changes}}).met


def test_migraine_with_aura_at_its_limits():
    assert aura() is True
    assert aura(attacks=1) is False
    assert aura(minutes_each=4) is False
    assert aura(minutes_each=5) is True
    assert aura(minutes_each=60) is True
    assert aura(minutes_each=61) is False
    assert aura(minutes_each=4320, types=["motor"]) is True
    assert aura(minutes_each=4321, types=["motor"]) is False
    assert aura(unilateral=None) is None
    assert aura(unilateral=None, positive=True) is True
    assert aura(present=False, types=[]) is False
    assert aura(present=None) is None
    assert criteria.with_aura({"lifetime_attacks": 9}).met is None


def test_the_length_of_an_aura_of_unknown_kind_decides_only_where_no_kind_would():
    few = {"gradual_spread": False, "unilateral": True, "positive": True}
    assert aura(minutes_each=90, **few) is False
    assert aura(minutes_each=90, types=["motor"], **few) is True
    assert aura(minutes_each=90, types=None, **few) is None
    assert aura(minutes_each=4321, types=None, **few) is False
    assert aura(minutes_each=20, types=[], **few) is False


def test_one_end_of_the_attacks_decides_alone_where_it_is_out_of_bounds():
    assert met(attack_hours_min=None, attack_hours_max=3) is False
    assert met(attack_hours_min=73, attack_hours_max=None) is False
    assert met(attack_hours_min=None, attack_hours_max=72) is None
    assert met(attack_hours_min=4, attack_hours_max=None) is None


DAYS = {"recall_headache_days_month": 15, "recall_migraine_days_month": 8, "months_at_this_frequency": 4}


def test_chronic_migraine_is_more_than_three_months():
    assert criteria.chronic_frequency(DAYS) is True
    assert criteria.chronic_frequency({**DAYS, "months_at_this_frequency": 3}) is False
    assert criteria.chronic_frequency({**DAYS, "recall_headache_days_month": 14}) is False
    assert criteria.chronic_frequency({**DAYS, "recall_migraine_days_month": 7}) is False
    assert criteria.chronic_frequency({**DAYS, "recall_migraine_days_month": None}) is None
    assert criteria.chronic({**DAYS, **MIGRAINE}, age=30).met is True
    assert (
        criteria.chronic({**DAYS, **MIGRAINE, "attack_hours_min": 1, "aura": {"present": False}}, age=30).met is False
    )


def test_probable_migraine_misses_exactly_one():
    none = {"aura": {"present": False}}
    assert criteria.probable({**MIGRAINE, **none}, age=30).met is False
    assert criteria.probable({**MIGRAINE, **none, "attack_hours_min": 3}, age=30).met is True
    assert criteria.probable({**MIGRAINE, **none, "attack_hours_min": 3, "photophobia": False}, age=30).met is False
    assert criteria.probable({**MIGRAINE, **none, "attack_hours_min": 3, "photophobia": None}, age=30).met is None


def test_days_of_migraine_are_days_of_headache():
    assert criteria.is_frequent({**DAYS, "recall_headache_days_month": None, "recall_migraine_days_month": 15}) is True
    assert criteria.is_frequent({**DAYS, "recall_headache_days_month": None, "recall_migraine_days_month": 14}) is None


def test_probable_migraine_stays_open_while_one_of_the_two_may_still_be_met():
    no_signs = dict.fromkeys(("gradual_spread", "successive", "unilateral", "positive", "headache_within_60"), False)
    one_missing = {"present": True, "types": ["visual"], "minutes_each": 20, **no_signs}
    assert criteria.probable({**MIGRAINE, "photophobia": None, "aura": one_missing}, age=30).met is None
    assert criteria.probable({**MIGRAINE, "photophobia": False, "aura": one_missing}, age=30).met is True
    assert criteria.probable({**MIGRAINE, "photophobia": True, "aura": one_missing}, age=30).met is False


def overuse(total=None, **days):
    classes = dict.fromkeys(["simple", "triptan", "ergot", "opioid", "combination", "gepant"], 0)
    return criteria.overuse_exposure(
        {"acute_medication_days_month": {**classes, **days}, "total_acute_days_month": total}
    )


def test_painkiller_days_at_their_limits():
    assert overuse(simple=14) is False
    assert overuse(simple=15) is True
    for name in ("triptan", "ergot", "opioid", "combination"):
        assert overuse(**{name: 9}) is False
        assert overuse(**{name: 10}) is True
    assert overuse(simple=6, triptan=3) is False
    assert overuse(simple=7, triptan=3) is True
    assert overuse(simple=7, triptan=3, total=9) is False
    assert overuse(gepant=20) is False
    assert overuse(simple=None) is None
    assert overuse(simple=None, opioid=10) is True
    assert criteria.overuse_exposure({}) is None


def test_a_mix_is_decided_without_what_cannot_change_it():
    assert overuse(simple=6, triptan=6, ergot=None) is True
    assert overuse(simple=6, triptan=2, ergot=None) is None
    assert overuse(simple=6, triptan=2, ergot=None, total=9) is False
    assert overuse(simple=None, total=9) is False  # nobody takes one drug on more days than any drug
    assert overuse(simple=None, total=10) is None
    assert overuse(simple=2, triptan=2, gepant=10, total=12) is False  # gepants are no part of the mix
    assert overuse(simple=10, triptan=0) is False  # one class alone is no mix


def test_overuse_needs_the_headache_days_too():
    days = {"acute_medication_days_month": {"simple": 15, "triptan": 0, "ergot": 0, "opioid": 0, "combination": 0}}
    assert criteria.medication_overuse({**days, **DAYS}).met is True
    assert criteria.medication_overuse({**days, **DAYS, "recall_headache_days_month": 14}).met is False
    assert criteria.medication_overuse(days).met is None


def test_headache_from_the_neck_needs_the_disorder_and_two_signs():
    said = {"neck_disorder_evidence": True, "onset_with_disorder": True, "improves_with_disorder": True,
            "provoked_with_reduced_motion": False, "abolished_by_block": False}  # fmt: skip
    assert criteria.cervicogenic({"cervicogenic": said}).met is True
    assert criteria.cervicogenic({"cervicogenic": {**said, "neck_disorder_evidence": False}}).met is False
    assert criteria.cervicogenic({"cervicogenic": {**said, "improves_with_disorder": False}}).met is False
    assert criteria.cervicogenic({"cervicogenic": {**said, "improves_with_disorder": None}}).met is None
    assert criteria.cervicogenic({}).met is None


def test_neck_indicators_are_thirteen_and_only_a_yes_counts():
    given_ = dict.fromkeys(criteria.NECK_INDICATORS, "unknown")
    given_ |= {"neck_stiff_before": "yes", "after_load_or_bag": "no"}
    assert len(criteria.NECK_INDICATORS) == 13
    assert criteria.neck_indicator_count({"neck_indicators": given_}) == 1
    assert criteria.neck_indicator_count({}) == 0


def test_an_empty_intake_leaves_everything_unknown():
    assert {entity.met for entity in criteria.entities({}, age=30)} == {None}


FULL = {**MIGRAINE, **DAYS, "aura": AURA, "total_acute_days_month": 12, "acute_medication_days_month": {
    "simple": 6, "triptan": 6, "ergot": 0, "opioid": 0, "combination": 0, "gepant": 0}}  # fmt: skip
_FEATURES = [name for name, value in FULL.items() if isinstance(value, bool)]


@given(st.fixed_dictionaries({name: st.booleans() for name in _FEATURES}), st.sampled_from(sorted(MIGRAINE | DAYS)))
def test_forgetting_one_answer_never_changes_a_verdict_only_opens_it(answers, forgotten):
    intake = {**FULL, **answers}
    for before, after in zip(
        criteria.entities(intake, age=30), criteria.entities({**intake, forgotten: None}, age=30), strict=True
    ):
        assert after.met in (before.met, None)


@pytest.mark.parametrize(("value", "answer"), [("yes", True), (True, True), ("no", False), (False, False),
                                                ("unknown", None), (None, None), (1, None), ([], None)])  # fmt: skip
def test_what_counts_as_an_answer(value, answer):
    assert criteria.yes(value) is answer
