"""The invented clinic group: sizes, and the world that each package fills in turn.

The same seed on the same day gives the same clinic. Each package draws from its own stream of numbers, so that a
change in one does not shift what the others make. Rows that would be too many for the rules are written in bulk.
"""

from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from random import Random

from django.conf import settings
from django.db import transaction
from faker import Faker

from clinic import times
from clinic.errors import RuleBroken
from clinic.models import User


@dataclass(frozen=True)
class Size:
    """How many of everything; None means every location there is."""

    locations: int | None
    practitioners: int
    patients: int
    recorded_evaluations: int


SIZES = {
    "small": Size(locations=3, practitioners=5, patients=30, recorded_evaluations=4),
    "clinic": Size(locations=None, practitioners=26, patients=600, recorded_evaluations=40),
    "group": Size(locations=None, practitioners=60, patients=5000, recorded_evaluations=80),
}


@dataclass
class World:
    """What is being made. The lists are filled from the lowest package upwards."""

    size: Size
    seed: int
    now: datetime
    locations: list = field(default_factory=list)
    practitioners: list = field(default_factory=list)
    desk_of: dict = field(default_factory=dict)  # location id → user
    places_of: dict = field(default_factory=dict)  # practitioner id → locations
    patients: list = field(default_factory=list)
    charts: list = field(default_factory=list)  # (patient, the chart file as read)
    types: dict = field(default_factory=dict)  # slug → appointment type

    def random(self, stream: str) -> Random:
        return Random(f"{self.seed} {stream}")

    def faker(self, stream: str, locale: str = "en_US") -> Faker:
        names = Faker(locale)
        names.seed_instance(f"{self.seed} {stream}")
        return names

    def location(self, slug: str):
        """The location, or the first one where a smaller clinic does not have it."""
        return next((place for place in self.locations if place.slug == slug), self.locations[0])


@transaction.atomic
def load(size: str = "clinic", seed: int = 1) -> World:
    """Fill an empty database; all or nothing."""
    if User.objects.exists():
        raise RuleBroken(
            "The demo clinic goes into an empty database only, and this one has users already.", code="not_empty"
        )
    world = World(size=SIZES[size], seed=seed, now=times.now().replace(second=0, microsecond=0))
    for package in settings.LAYERS[1:]:
        if find_spec(f"{package}.demo"):
            import_module(f"{package}.demo").load(world)
    return world
