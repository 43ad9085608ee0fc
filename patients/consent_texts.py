"""The versions of the consent form, and what a patient is shown of one.

Data in `consent_forms.json`; never edited there: a changed form is a new version, since signed ones name theirs.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from patients import documents
from patients.models import Consent


@dataclass(frozen=True)
class Scope:
    code: str
    label: str
    needed: bool


@dataclass(frozen=True)
class Form:
    """`care` says what is done, without and with a thrust; `risks` are (code, sentence)."""

    version: str
    valid_from: date
    language: str
    title: str
    intro: tuple[str, ...]
    care: dict[str, str]
    scopes: tuple[Scope, ...]
    risks: tuple[tuple[str, str], ...]
    alternatives: tuple[str, ...]

    @property
    def needed(self) -> set[str]:
        return {scope.code for scope in self.scopes if scope.needed}

    def document(self, *, patient: str, place: str, thrust: bool) -> dict:
        """What is shown, word by word. The risks and scopes are ticked one by one; here they stand in full."""
        return {
            "title": self.title,
            "facts": [["Patient", patient], ["Clinic", place], ["Form", f"{self.version}, {self.language}"]],
            "sections": [
                documents.section("Before you decide", text=self.intro),
                documents.section("What is done", text=[self.care["with_thrust" if thrust else "without_thrust"]]),
                documents.section("What may happen", items=[label for _, label in self.risks], asked=True),
                documents.section("What you can do instead", items=self.alternatives),
                documents.section("What I am asked to agree", items=[s.label for s in self.scopes], asked=True),
            ],
        }


def _read(said: dict) -> Form:
    scopes = tuple(Scope(**one) for one in said["scopes"])
    if unknown := {scope.code for scope in scopes} - set(Consent.Scope.values):
        raise ValueError(f"Consent form {said['version']}: unknown scopes {sorted(unknown)}.")
    return Form(
        said["version"], date.fromisoformat(said["valid_from"]), said["language"], said["title"], tuple(said["intro"]),
        said["care"], scopes, tuple((one["code"], one["label"]) for one in said["risks"]),
        tuple(said["alternatives"]),
    )  # fmt: skip


FORMS: tuple[Form, ...] = tuple(
    sorted(
        map(_read, json.loads(Path(__file__).with_name("consent_forms.json").read_text(encoding="utf-8"))),
        key=lambda form: form.valid_from,
    )
)


def current(day: date) -> Form:
    """The form that is signed on the day: the latest that was valid by then."""
    return next((form for form in reversed(FORMS) if form.valid_from <= day), FORMS[0])
