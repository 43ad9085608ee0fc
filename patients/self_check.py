"""What somebody may ask themselves before they come: emergencies first, then the neck indicators (reference 1.3, 1.4).

The indicators are counted and no more: there is no validated limit, so nothing follows from how many there are. The
keys are those of the intake and of the red flags.
"""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

INDICATORS = {
    "starts_base_of_skull": _("The pain starts at the base of the skull, or at the back of the head or neck."),
    "radiates_forward": _("It begins at the back and moves forward."),
    "neck_stiff_before": _("My neck is stiff before an attack."),
    "neck_stiff_during": _("My neck is stiff during an attack."),
    "triggered_head_position": _("Certain positions of the head bring it on."),
    "triggered_desk_posture": _("Long hours at a desk bring it on."),
    "neck_injury_history": _("I have had an injury of the neck: a car crash, a fall, sport."),
    "pain_with_neck_movement": _("Moving my neck brings it on."),
    "neck_tenderness_with_headache": _("My neck is tender while my head hurts."),
    "after_sleep_position": _("It comes after I slept in a bad position, or on another pillow."),
    "after_load_or_bag": _("It comes after I carried something heavy, or a bag on one side."),
    "after_exercise_or_travel": _("It comes after exercise such as crunches, or after a long journey."),
    "relief_from_manual_care": _("Physical therapy or an adjustment has helped before."),
}
ANSWERS = {"yes": _("Yes"), "no": _("No"), "unknown": _("Not sure")}
# Signs for which nobody should wait for a visit; each stands for red flags of the tier `emergency`.
EMERGENCIES = {
    "rf_thunderclap": _("A sudden headache, the worst of my life, that was at its worst within a minute"),
    "rf_neuro_deficit": _("New weakness, trouble speaking or swallowing, double vision, or loss of sight"),
    "rf_numb_face": _("New numbness of the face or of one side of the body"),
    "rf_ataxia": _("Suddenly unsteady on my feet, collapsed, or hard to wake"),
    "rf_unusual_neck_pain": _("Sudden pain of the neck or head that is unlike any I have had"),
    "rf_infection_meningism": _("A stiff neck with fever or a rash"),
    "rf_fracture": _("A hard fall or crash in the last days, with strong pain in the neck"),
    "rf_painful_eye": _("A painful red eye, or a drooping eyelid"),
}


def given(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers to the indicators; what was left open is not there."""
    return {name: answers[name] for name in INDICATORS if answers.get(name) in ANSWERS}


def present(answers: Mapping[str, str]) -> int:
    """How many of the indicators were answered with yes."""
    return sum(answers.get(name) == "yes" for name in INDICATORS)


def emergencies(ticked: Iterable[str]) -> list[str]:
    """What was ticked of the signs for which nobody should wait, in their words."""
    chosen = set(ticked)
    return [said for name, said in EMERGENCIES.items() if name in chosen]
