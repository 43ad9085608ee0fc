"""Two months of visits behind and six weeks ahead: types, weekly hours, time off, visits and their history.

Days are walked in order and filled from the patients who are due, so that everybody's visits tell a story: an
evaluation, the report of findings, adjustments, a re-evaluation after twelve. Written in bulk; the database's own
constraints check that nothing overlaps.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from django.db.models import Min, OuterRef, Subquery

from appointments import calendars, demo_history, demo_waitlist
from appointments.intervals import Intervals, overlaps
from appointments.models import Appointment, AppointmentEvent, AppointmentType, ExtraHours, TimeOff, WeeklyHours
from appointments.timetable.hours import Hours
from clinic import times
from clinic.demo import World
from locations.models import Location, Practitioner, Room
from patients.models import Patient

DAYS_BEHIND, DAYS_AHEAD = 61, 42
BATCH = 2000
REEVALUATE_AFTER = 12
Status = Appointment.Status


def load(world: World) -> None:
    world.types = _types()
    _weekly_hours(world)
    _time_off(world)
    visits = Diary(world).filled()
    Appointment.objects.bulk_create(visits, batch_size=BATCH)
    events = demo_history.of(visits, world)
    AppointmentEvent.objects.bulk_create(events, batch_size=BATCH)
    first_step = AppointmentEvent.objects.filter(appointment=OuterRef("pk")).values("appointment")
    Appointment.objects.update(booked_at=Subquery(first_step.annotate(at=Min("at")).values("at")))
    demo_waitlist.load(world)


def _types() -> dict[str, AppointmentType]:
    evaluation, adjusting = Room.Kind.EVALUATION, Room.Kind.ADJUSTING
    rows = (  # slug, names, minutes (usual, least, most), room, notice in minutes, horizon in days, preparation
        ("evaluation", ("Evaluation", "Evaluación"), (60, 45, 60), evaluation, 120, 120,
         "Bring earlier images and your medicines."),
        ("re-evaluation", ("Re-evaluation", "Reevaluación"), (45, 30, 60), evaluation, 60, 366,
         "Bring your headache diary."),
        ("report-of-findings", ("Report of findings", "Informe de resultados"), (30, 20, 45), evaluation, 0, 120,
         "Bring somebody if you like."),
        # No notice: who walks in is seen.
        ("adjustment", ("Adjustment", "Ajuste"), (15, 10, 30), adjusting, 0, 366, ""),
    )  # fmt: skip
    made = AppointmentType.objects.bulk_create(
        AppointmentType(
            slug=slug, name=name, name_es=name_es, minutes=usual, least_minutes=least, most_minutes=most,
            room_kind=kind, is_bookable_online=slug == "evaluation", is_evaluation=slug.endswith("evaluation"),
            notice_minutes=notice, horizon_days=horizon, preparation=preparation,
        )
        for slug, (name, name_es), (usual, least, most), kind, notice, horizon, preparation in rows
    )  # fmt: skip
    return {type.slug: type for type in made}


EARLY = ((time(8), time(12)), (time(13), time(16, 30)))
LATE = ((time(9, 30), time(13)), (time(14), time(18)))
SATURDAY = ((time(9), time(13)),)


def _weekly_hours(world: World) -> None:
    """Early or late four days a week, half of them every other Saturday; two clinics in one day leave time for the way.

    And one Saturday of extra hours at each of two clinics.
    """
    rows, extra = [], []
    opens = world.now.date() - timedelta(DAYS_BEHIND + 7)
    for n, person in enumerate(world.practitioners):
        home, *second = world.places_of[person.pk]
        for day in range(5):
            if day == (n + 4) % 5 and not second:
                continue
            spans = EARLY if n % 2 else LATE
            here = second[0] if second and day == 2 else home
            rows += [WeeklyHours(practitioner=person, location=here, weekday=day, starts=a, ends=b) for a, b in spans]
        if second and n == 0:
            rows = [row for row in rows if not (row.practitioner is person and row.weekday == 4)]
            rows.append(WeeklyHours(practitioner=person, location=home, weekday=4, starts=time(8), ends=time(12)))
            rows.append(WeeklyHours(practitioner=person, location=second[0], weekday=4, starts=time(13), ends=time(17)))
        starts, ends = SATURDAY[0]
        if n % 2 == 0:
            first = opens + timedelta(7 * (n // 2 % 2))
            rows.append(WeeklyHours(practitioner=person, location=home, weekday=5, starts=starts, ends=ends,
                                    every_weeks=2, valid_from=first))  # fmt: skip
        elif n in {1, 3}:
            saturday = world.now.date() + timedelta(7 + (5 - world.now.weekday()) % 7)
            extra.append(ExtraHours(practitioner=person, location=home, day=saturday, starts=starts, ends=ends,
                                    reason="Screening day"))  # fmt: skip
    WeeklyHours.objects.bulk_create(rows)
    ExtraHours.objects.bulk_create(extra)


def _time_off(world: World) -> None:
    """A week's leave for one in six, ahead; an afternoon away for one in five, behind. Never who one signs in as."""
    rng, rows = world.random("time off"), []
    for person in world.practitioners[1:]:
        zone = world.places_of[person.pk][0].time_zone
        today = times.day_of(world.now, zone)
        if rng.random() < 1 / 6:
            first = today + timedelta(rng.randint(10, 30))
            last = first + timedelta(rng.randint(3, 7))
            span = (times.instant(first, time.min, zone), times.instant(last, time.min, zone))
            rows.append(TimeOff(practitioner=person, starts_at=span[0], ends_at=span[1], reason="Leave"))
        if rng.random() < 1 / 5:
            day = today - timedelta(rng.randint(5, 50))
            span = (times.instant(day, time(12), zone), times.instant(day, time(19), zone))
            rows.append(TimeOff(practitioner=person, starts_at=span[0], ends_at=span[1], reason="Course"))
    TimeOff.objects.bulk_create(rows)


@dataclass
class Course:
    """Where a patient's care stands while the days are filled."""

    patient: Patient
    visits: int
    due: date
    days_between: tuple[int, ...]
    seen_on: set = field(default_factory=set)

    def wants(self) -> str:
        if self.visits == 0:
            return "evaluation"
        if self.visits == 1:
            return "report-of-findings"
        return "re-evaluation" if self.visits % (REEVALUATE_AFTER + 1) == 0 else "adjustment"


class Diary:
    """Fills the working hours of each practitioner, day by day."""

    def __init__(self, world: World):
        self.world, self.rng = world, world.random("visits")
        self.rooms = {
            kind: calendars.rooms_by_location([p.pk for p in world.locations], kind) for kind in Room.Kind.values
        }
        self.room_taken: dict[int, Intervals] = defaultdict(list)
        self.waiting = self._courses()
        self.visits: list[Appointment] = []

    def _courses(self) -> dict[int, list[Course]]:
        """Two in three are under care when the window opens; the others come to it on some later day."""
        found, rng = defaultdict(list), self.rng
        opens = self.world.now.date() - timedelta(DAYS_BEHIND)
        for patient in self.world.patients:
            is_known = rng.random() < 0.66
            pace = rng.choice(((2, 3), (3, 4), (4, 3), (7,), (7, 7, 14)))
            due = opens + timedelta(rng.randint(0, 7) if is_known else rng.randint(0, DAYS_BEHIND + DAYS_AHEAD - 10))
            found[patient.home_location_id].append(Course(patient, rng.randint(2, 20) if is_known else 0, due, pace))
        return found

    def filled(self) -> list[Appointment]:
        places = {place.pk: place for place in self.world.locations}
        people = {person.pk: person for person in self.world.practitioners}
        first = self.world.now.date() - timedelta(DAYS_BEHIND)
        hours = Hours(self.world.locations, first, first + timedelta(DAYS_BEHIND + DAYS_AHEAD))
        away = calendars.Taken(0, times.to_minute(self.world.now) + 10**6, practitioners=people, rooms=[])
        for n in range(DAYS_BEHIND + DAYS_AHEAD + 1):
            day = first + timedelta(n)
            self.room_taken.clear()
            for (person, place), working in hours.working(day, day).items():
                free = away.at_work(person, working)
                self._fill(people[person], places[place], day, free)
        return self.visits

    def _fill(self, person: Practitioner, place: Location, day: date, free: Intervals) -> None:
        load = _load((day - times.day_of(self.world.now, place.time_zone)).days)
        for start, end in free:
            minute = -(-start // 15) * 15
            while minute < end:
                # Visits last 22 minutes on average and a gap 15: this makes the booked share of the time `load`.
                taken = self.rng.random() < load * 15 / (22 * (1 - load) + 15 * load)
                visit = self._visit(person, place, day, minute, end) if taken else None
                minute = -(-visit.busy_until // 15) * 15 if visit and visit.status != Status.CANCELLED else minute + 15

    def _visit(self, person, place, day, start, end) -> Appointment | None:
        """The patient who is due longest and fits, or nobody."""
        courses = self.waiting[place.pk]
        courses.sort(key=lambda course: (course.due, course.patient.pk))
        for course in courses[:12]:
            type = self.world.types[course.wants()]
            room = self._room(place, type, start) if start + type.minutes <= end else None
            if room is None or day in course.seen_on or course.due > day + timedelta(3):
                continue
            visit = _row(course.patient, person, place, room, type, start, self.rng)
            visit.status = _status(visit, self.world.now, self.rng)
            self._note(course, visit, day)
            self.visits.append(visit)
            return visit
        return None

    def _room(self, place, type, start) -> Room | None:
        busy = (start - type.buffer_before, start + type.minutes + type.buffer_after)
        rooms = self.rooms[type.room_kind][place.pk]
        return next((room for room in rooms if not overlaps(self.room_taken[room.pk], *busy)), None)

    def _note(self, course, visit, day):
        course.seen_on.add(day)
        pace = course.days_between
        course.due = day + timedelta(pace[len(course.seen_on) % len(pace)])
        if visit.status not in {Status.CANCELLED, Status.NO_SHOW}:
            course.visits += 1
        if visit.status != Status.CANCELLED:  # a missed visit kept its room: nobody knew
            self.room_taken[visit.room_id].append((visit.busy_from, visit.busy_until))


def _load(days_ahead: int) -> float:
    """How full: three quarters until today, less and less further ahead."""
    if days_ahead <= 0:
        return 0.74
    return max(0.15, 0.70 - 0.013 * days_ahead)


def _row(patient, person, place, room, type, start, rng: Random) -> Appointment:
    end = start + type.minutes
    return Appointment(
        patient=patient,
        practitioner=person,
        location=place,
        room=room,
        type=type,
        starts_at=times.from_minute(start),
        ends_at=times.from_minute(end),
        start_minute=start,
        end_minute=end,
        busy_from=start - type.buffer_before,
        busy_until=end + type.buffer_after,
        uid=UUID(int=rng.getrandbits(128), version=4),
    )


def _status(visit: Appointment, now, rng: Random) -> str:
    """As the clock has it: behind us done or missed, now in a room or waiting, ahead booked or confirmed."""
    minutes_to_go = (visit.starts_at - now).total_seconds() / 60
    chance = rng.random()
    if chance < 0.06:
        return Status.CANCELLED
    if visit.ends_at <= now:
        return Status.NO_SHOW if chance > 0.96 else Status.COMPLETED
    if minutes_to_go <= 0:
        return Status.IN_ROOM if chance < 0.9 else Status.ARRIVED
    if minutes_to_go <= 20 and chance < 0.6:
        return Status.ARRIVED
    likely = 0.75 if minutes_to_go < 2 * 1440 else 0.3 if minutes_to_go < 7 * 1440 else 0.08
    return Status.CONFIRMED if rng.random() < likely else Status.BOOKED
