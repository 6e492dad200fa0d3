"""Workers that hold locks are killed: nobody else gets in before it is time, and then somebody."""

import json
import random
from pathlib import Path

import pytest
import redis

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
from tests.support.builder import activity
from tests.support.invariants import assert_invariants
from tests.support.locking import inside_of
from tests.support.waiting import pause, wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import LockClaim, Run

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

RUNS, KILLS = 16, 8


def test_under_kills_one_at_a_time_is_inside_and_all_come_through(
    fleet: Workers, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Contract: named mutex."""
    given = {"place": str(tmp_path / "sign"), "seconds": 0.3}
    body = activity("work", "alone.work", input=given, retry={"attempts": 50, "backoff": "PT0S"})
    services.publish(json.dumps(inside_of(body)))
    runs = [services.start("locked").run for _ in range(RUNS)]
    dice = random.Random(3)  # noqa: S311
    for kill in range(KILLS):
        pause(dice.uniform(0.2, 0.8))
        if kill == KILLS // 2:
            redis_client.flushall()
        fleet.strike(dice)
        assert_invariants()
    last = LockClaim.objects.filter(state="waiting").order_by("id").last()
    assert last is not None
    services.cancel(last.run_id)
    wait_for(lambda: not Run.objects.filter(ended_at__isnull=True).exists(), seconds=120)
    for run in runs:
        if run.pk != last.run_id:
            assert_completed(run)
        assert_each_step_once(run)
        assert_at_rest(run)
    wait_for(lambda: not LockClaim.objects.exists())
    assert_invariants()


def test_a_holder_that_kills_its_worker_frees_the_lock_with_its_failure(
    fleet: Workers, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Contract: a lock is freed when its holder ends in any way."""
    poison = {"item": 1, "poison": 1, "log": str(tmp_path / "calls")}
    body = activity("work", "test.kill", input=poison, retry={"attempts": 1})
    services.publish(json.dumps(inside_of(body)))
    fine = activity("work", "test.echo", input={"value": 1})
    services.publish(json.dumps(inside_of(fine, name="fine")))
    holder = services.start("locked").run
    wait_for((tmp_path / "calls").exists)
    waiting = services.start("fine").run
    wait_for(lambda: Run.objects.get(pk=waiting.pk).status == "suspended")
    assert_waiting_for(waiting, "lock")
    wait_for(lambda: Run.objects.get(pk=waiting.pk).ended_at, seconds=60)
    assert_completed(waiting)
    assert_failed(holder, "lost_work", node="work")
