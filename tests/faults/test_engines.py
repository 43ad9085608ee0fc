"""Beats, workers and their broker as real processes: what dies, is flushed or goes wrong by the clock loses nothing."""

import os
import random
import shutil
import time

import pytest

from clinic import beat
from clinic.models import Heartbeat
from tests.faults import owed
from tests.faults.parts import Redis, kill, wait_for
from tests.faults.sink import AFTER, BEFORE, DURING

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
LONG = os.environ.get("LONG_RACES") == "1"
MANY = 1000 if LONG else 60
SHIFTED = ("tests.faults.shifted", "celery")


def holder():
    return Heartbeat.objects.filter(name="beat").values_list("holder", flat=True).first()


def queued(parts):
    return len(list((parts.folder / "broker" / "queue").glob("*celery.msg")))


def is_over(number):
    def answer():
        found = owed.statuses()
        return sum(found.values()) == number and not set(found) & {"waiting", "retry", "claimed"}

    return answer


def test_while_no_worker_takes_them_calls_do_not_pile_up(sink, parts):
    parts.environment["BEAT_SECONDS"] = "0.1"
    parts.beat()
    wait_for(lambda: queued(parts) >= beat.WAITING_AT_MOST, parts=parts)
    time.sleep(2)

    assert queued(parts) <= beat.WAITING_AT_MOST + 1


def test_of_two_beats_the_second_takes_over_when_the_first_is_killed(sink, parts):
    first, second = parts.beat(), parts.beat()
    before = wait_for(holder, parts=parts)
    time.sleep(2)
    kept = holder()
    victim = next(one for one in (first, second) if f":{one.pid}:" in before)
    kill(victim)

    after = wait_for(lambda: (now := holder()) != before and now, parts=parts)
    other = next(one for one in (first, second) if one is not victim)
    assert (kept, f":{other.pid}:" in after) == (before, True)


def test_a_beat_that_ends_in_order_leaves_its_place(sink, parts):
    parts.environment["BEAT_SECONDS"] = "60"
    process = parts.beat()
    wait_for(holder, parts=parts)
    process.terminate()
    process.wait()

    assert holder() == ""


def test_a_clock_that_is_moved_stops_or_hurries_and_loses_nothing(sink, parts):
    clock = parts.folder / "clock"
    owed.book(20)
    sink.when = lambda now, number: 0.2 if now == BEFORE else None
    parts.beat(module=SHIFTED)
    parts.worker(module=SHIFTED)
    wait_for(lambda: sink.copies >= 3, parts=parts)
    clock.write_text("-3600")
    worker = parts.running[-1]
    kill(worker)  # so that a sweep begins by the wrong clock
    parts.worker(module=SHIFTED)
    wait_for(lambda: "nothing is sent until it is right" in parts.log(), parts=parts)
    still = sink.copies
    time.sleep(2)
    stood = sink.copies == still
    clock.write_text("0")
    wait_for(lambda: sink.copies > still, parts=parts)
    clock.write_text("3600")
    wait_for(is_over(20), parts=parts)

    assert stood
    assert (owed.lost(sink), owed.untold(sink)) == (set(), set())
    assert len(sink.doubled) <= 1  # the one that was killed in


@pytest.mark.skipif(not shutil.which("redis-server"), reason="No redis-server was found.")
def test_everything_at_once_loses_nothing_and_doubles_only_what_is_flagged(sink, parts, tmp_path):
    """Two beats and two workers on a Redis that is flushed and restarted; workers are killed; the server misbehaves."""
    redis = Redis(tmp_path)
    redis.start()
    parts.environment["REDIS_URL"] = redis.url
    owed.book(MANY)
    chance = random.Random(7)
    later, nothing = "451 4.3.2 Later", [None] * 6
    # A server that takes a mail and says that it did not lies: nobody could tell that one was doubled.
    answers = {BEFORE: [later, "hang up", *nothing], DURING: [later, "hang up", *nothing], AFTER: ["hang up", *nothing]}
    sink.when = lambda stage, number: chance.choice(answers[stage]) if number % 3 == 0 and number < 2 * MANY else None
    try:
        workers = [parts.worker("--pool=prefork", "--concurrency=2") for _ in range(2)]
        beats = [parts.beat(), parts.beat()]
        for step in range(1, 5):
            wait_for(lambda step=step: sink.began >= step * MANY // 8, 120, parts=parts)
            parts_die(step, redis, workers, beats, parts)
        wait_for(is_over(MANY), 900 if LONG else 150, parts=parts)
    finally:
        redis.kill()

    ended = owed.statuses()
    print(f"{MANY} mails: {ended}, copies {sink.copies}, doubled {len(sink.doubled)}")  # noqa: T201
    assert (owed.lost(sink), owed.untold(sink)) == (set(), set())
    assert set(ended) <= {"sent", "sent_maybe_twice"}


def parts_die(step, redis, workers, beats, parts):
    if step == 1:
        kill(workers[0])
        parts.worker("--pool=prefork", "--concurrency=2")
    elif step == 2:
        redis.kill()  # it keeps nothing: restarted is flushed
        time.sleep(1)
        redis.start()
    elif step == 3:
        kill(beats[0])
    else:
        kill(workers[1])
        parts.worker("--pool=prefork", "--concurrency=2")
