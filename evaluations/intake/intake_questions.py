"""The intake as the patient is asked it on the phone: parts, plain words; what they mean is reference 1.1 to 1.4.

Signs that are looked for or measured by the clinician are not asked. Whatever is answered is gone through again in the
evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from evaluations.intake.intake_form import Item

YES_NO_UNSURE = (("yes", _("Yes")), ("no", _("No")), ("unknown", _("Not sure")))


@dataclass(frozen=True)
class Part:
    """A page of questions. `flags` are safety questions by their code, `items` the others."""

    code: str
    title: str
    words: str = ""
    items: tuple[Item, ...] = ()
    flags: Mapping[str, str] | None = None


NOW = {
    "rf_thunderclap": _(
        "Did you have a sudden headache, the worst of your life, that was at its worst within a minute?"
    ),
    "rf_neuro_deficit": _("Do you have new weakness, numbness, or a change of speech, sight, balance or alertness?"),
    "rf_numb_face": _("Is your face or one side of your body numb?"),
    "rf_diplopia": _("Do you see double?"),
    "rf_dysarthria": _("Is your speech slurred?"),
    "rf_dysphagia": _("Do you have trouble swallowing?"),
    "rf_drop_attack": _("Did you suddenly fall down, without fainting?"),
    "rf_ataxia": _("Are you newly unsteady when you walk?"),
    "rf_unusual_neck_pain": _("Do you have sudden pain in the neck or head unlike any you had before?"),
    "rf_horner": _("Does one eyelid droop, with a smaller pupil on that side?"),
    "rf_painful_eye": _("Do you have a painful red eye, or did you lose sight in an eye?"),
    "rf_papilloedema": _("Does your sight go black for moments, or do you hear your pulse in an ear?"),
    "rf_infection_meningism": _("Do you have a stiff neck together with fever, a rash, or pain from light?"),
    "rf_fracture": _("Could a bone in your neck be broken, after a bad fall or accident?"),
    "rf_suicidality": _("Do you have thoughts of harming yourself?"),
}
BEFORE = {
    "rf_systemic": _("Do you have fever, night sweats, or lose weight without wanting to?"),
    "rf_neoplasm": _("Have you ever had cancer?"),
    "rf_pattern_change": _("Is this headache new in the last three months, or has it clearly changed?"),
    "rf_progressive": _("Does it get worse and worse, or is it unlike your usual headache?"),
    "rf_positional": _("Does it come mainly when you stand up, or mainly when you lie flat?"),
    "rf_valsalva": _("Is it brought on by coughing, sneezing, straining or exercise?"),
    "rf_night_pain": _("Do you have severe pain that never lets go, or that wakes you at night?"),
    "rf_post_trauma": _("Did it begin after a blow to the head or neck in the last three months?"),
    "rf_dizziness": _("Are you newly dizzy together with neck pain?"),
    "rf_nausea_neuro": _("Do you have new nausea together with neck pain or dizziness?"),
    "rf_myelopathy": _("Have your hands become clumsy, your legs stiff, or your bladder or bowel changed?"),
    "rf_vascular_history": _("Did you ever have a stroke or a torn artery, or an illness of the connective tissue?"),
    "rf_instability": _("Do you have rheumatoid arthritis, Down syndrome, or a neck said to be unstable?"),
    "rf_chiari": _("Were you told of a change where head and neck meet (Chiari, syrinx)?"),
    "rf_surgery": _("Did you have surgery of the neck?"),
    "rf_immune": _("Is your immune system weak: HIV, chemotherapy, steroids?"),
    "rf_pregnancy": _("Is the headache new in a pregnancy, or in the six weeks after a birth?"),
    "rf_pregnant": _("Are you pregnant, or could you be?"),
    "rf_anticoagulant": _("Do you take blood thinners, or do you bleed easily?"),
    "rf_osteoporosis": _("Do you have thin bones, or take steroids for a long time?"),
    "rf_inflammatory": _("Do you have an inflammation of the joints or of the spine?"),
    "rf_hypermobility": _("Are your joints unusually loose?"),
    "rf_prior_reaction": _("Did a treatment of your neck ever do you harm?"),
}
# Left to the clinician: they are measured, seen, or follow from what is answered elsewhere.
NOT_ASKED = (
    "rf_older_onset", "rf_painkiller", "rf_nystagmus", "rf_bp_crisis", "rf_multilevel_root", "rf_age_extremes",
    "rf_minor", "rf_hypertension",
)  # fmt: skip


def _yes(prefix, labels):
    return tuple(Item(f"{prefix}{name}", label) for name, label in labels.items())


HEADACHE = (
    Item("headache_onset_age", _("How old were you when this kind of headache began?"), "whole", _("years")),
    Item("lifetime_attacks", _("How many attacks did you have so far, roughly?"), "whole"),
    Item("attack_hours_min", _("How long does the shortest attack last?"), "number", _("hours")),
    Item("attack_hours_max", _("How long does the longest attack last?"), "number", _("hours")),
    Item("recall_headache_days_month", _("On how many days of a month do you have a headache?"), "whole", _("days")),
    Item("recall_migraine_days_month", _("On how many of these days is it a migraine?"), "whole", _("days")),
    Item("months_at_this_frequency", _("For how many months has it been this often?"), "whole", _("months")),
    Item("nprs_usual", _("How strong is it usually, from 0 to 10?"), "whole"),
    Item("nprs_worst", _("How strong is it at its worst, from 0 to 10?"), "whole"),
)
ATTACK = (
    *_yes("", {
        "unilateral": _("Is it on one side of the head?"), "pulsating": _("Does it throb or pulsate?"),
        "moderate_or_severe": _("Does it keep you from what you do, or nearly so?"),
        "worse_with_activity": _("Does it get worse when you walk or climb stairs?"),
        "nausea_or_vomiting": _("Do you feel sick, or vomit?"), "photophobia": _("Is light hard to bear?"),
        "phonophobia": _("Is sound hard to bear?"),
    }),
    Item("side_locked", _("Is it always on the same side?"), "one", choices=("left", "right", "no", "unknown")),
    Item("aura.present", _("Before or with it, do you see flashes or lines, feel tingling, or struggle for words?")),
    Item("aura.minutes_each", _("If so: how long does each of these signs last?"), "whole", _("minutes")),
)  # fmt: skip
MEDICINES = (
    Item(
        "acute_medication_days_month.simple", _("Simple painkillers, as ibuprofen or acetaminophen"), "whole", _("days")
    ),
    Item("acute_medication_days_month.triptan", _("Triptans, as sumatriptan"), "whole", _("days")),
    Item("acute_medication_days_month.ergot", _("Ergots"), "whole", _("days")),
    Item("acute_medication_days_month.opioid", _("Opioids"), "whole", _("days")),
    Item(
        "acute_medication_days_month.combination", _("Combined painkillers, as those with caffeine"), "whole", _("days")
    ),
    Item("acute_medication_days_month.gepant", _("Gepants"), "whole", _("days")),
    Item("total_acute_days_month", _("Any of these, all together"), "whole", _("days")),
    Item(
        "preventive_medications", _("Medicines you take every day: one on a line, with the dose if you know it"), "rows"
    ),
)
NECK = _yes("neck_indicators.", {
    "starts_base_of_skull": _("Does the pain start at the base of the skull or the back of the neck?"),
    "radiates_forward": _("Does it begin at the back and spread forward?"),
    "neck_stiff_before": _("Is your neck stiff before attacks?"),
    "neck_stiff_during": _("Is your neck stiff during attacks?"),
    "triggered_head_position": _("Do certain positions of the head bring it on?"),
    "triggered_desk_posture": _("Does long work at a desk bring it on?"),
    "neck_injury_history": _("Did you ever hurt your neck?"),
    "pain_with_neck_movement": _("Does moving your neck bring it on?"),
    "neck_tenderness_with_headache": _("Is your neck tender along with the headache?"),
    "after_sleep_position": _("Does it come after sleeping in a bad position?"),
    "after_load_or_bag": _("Does it come after carrying a heavy or uneven bag?"),
    "after_exercise_or_travel": _("Does it come after exercise or long travel?"),
    "relief_from_manual_care": _("Has treatment by hand eased it before?"),
})  # fmt: skip
BACKGROUND = (
    Item("occupation", _("What is your work?"), "line"),
    Item("desk_hours_day", _("How long are you at a desk?"), "number", _("hours a day")),
    Item("allergies", _("What are you allergic to?"), "text"),
    Item("medical_history", _("Which illnesses do you have, or did you have?"), "text"),
    Item("surgeries", _("Which operations did you have?"), "text"),
    Item("family_history", _("Which illnesses are in your family?"), "text"),
)
PARTS = {
    one.code: one
    for one in (
        Part("now", _("First, your safety"), _("If you answer yes to one of these, we tell you at once what to do."),
             flags=NOW),
        Part("before", _("What we have to know before we treat you"), flags=BEFORE),
        Part("headache", _("Your headache"),
             _("Think of attacks as they run without treatment. Leave out what you do not know."), HEADACHE),
        Part("attack", _("What an attack is like"), "", ATTACK),
        Part("medicines", _("Your medicines"),
             _("On how many days of a month do you take them? Days, not pills. Please do not stop or change a medicine "
               "because of these questions."), MEDICINES),
        Part("neck", _("Your neck"), "", NECK),
        Part("background", _("About you"), "", BACKGROUND),
    )
}  # fmt: skip
SIDES = {"left": _("Left"), "right": _("Right"), "no": _("No"), "unknown": _("Not sure")}
