"""How far an answer to "when?" went, so that the next one goes on there and neither repeats nor leaves out a time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from clinic import times
from clinic.errors import RuleBroken

LONGEST = 120


@dataclass(frozen=True)
class Mark:
    """A start and, since many can begin at one instant, which of these was the last: in their order by the names of
    location and practitioner. Without them all of that instant have been seen.
    """

    starts_at: datetime
    location: str = ""  # slug
    practitioner: int | None = None

    def __str__(self) -> str:
        """`2027-01-04T14:00:00Z|atlanta|7`; a plain instant is the mark of all that begins until then."""
        starts = f"{self.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return "|".join([starts, self.location, f"{self.practitioner}"]) if self.location else starts


def read(text: str, field: str = "after") -> Mark:
    """Raises RuleBroken, naming the field, for what is neither a mark nor an instant with its offset."""
    message = "Give `next_after` of the answer before, or an instant with its offset like 2027-01-04T14:00:00Z."
    wrong = RuleBroken(message, code="invalid", fields={field: message}, status=400)
    starts, *rest = text[:LONGEST].split("|")
    try:
        starts_at = datetime.fromisoformat(starts)
        location, practitioner = (rest[0], int(rest[1])) if rest else ("", None)
    except (ValueError, IndexError):
        raise wrong from None
    if starts_at.tzinfo is None or len(rest) not in {0, 2}:
        raise wrong
    return Mark(times.check_range(starts_at, field), location, practitioner)
