"""The language that a patient is spoken to in: by the chart, or on a page for anybody by what the browser asks for."""

from contextlib import AbstractContextManager

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from patients.models import Patient

SPOKEN = dict(settings.LANGUAGES)
OTHERWISE = "en"


def of(patient: Patient) -> str:
    """One that Atlas speaks: a chart may name any other."""
    spoken = patient.language.split("-")[0].lower()
    return spoken if spoken in SPOKEN else OTHERWISE


def speaking(patient: Patient) -> AbstractContextManager:
    """Inside, texts and times come in the language of the patient."""
    return translation.override(of(patient))


def speaking_as_asked(request: HttpRequest) -> AbstractContextManager:
    """Where it is not known who reads."""
    return translation.override(translation.get_language_from_request(request))
