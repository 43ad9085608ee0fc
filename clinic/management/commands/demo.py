from django.core.management.base import BaseCommand, CommandError

from clinic import demo
from clinic.errors import RuleBroken


class Command(BaseCommand):
    help = "Load the invented clinic group into an empty database."

    def add_arguments(self, parser):
        parser.add_argument("--size", choices=list(demo.SIZES), default="clinic")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, size, seed, **options):
        try:
            world = demo.load(size, seed)
        except RuleBroken as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(
            f"The demo clinic stands: {len(world.locations)} locations, {len(world.practitioners)} practitioners, "
            f"{len(world.patients)} patients."
        )
