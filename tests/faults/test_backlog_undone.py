"""A backlog is cancelled and undone here and there, its messages doubled, its workers killed."""

import random
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.assertions import assert_at_rest, assert_each_step_once
from tests.support.builder import Node, activity, end, workflow
from tests.support.invariants import assert_invariants
from tests.support.locking import lock
from tests.support.undoing import assert_newest_first, compensate
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.dispatch import publish
from workflows.engine.hints import ThreadReady
from workflows.errors import ConflictError
from workflows.models import LockClaim, NodeExecution, Run, Thread
from workflows.testing import Harness

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

RUNS, KILLS = 80, 6


def publish_saga(log: Path) -> None:
    """Publish a workflow of which a part undoes itself, and a part goes through a lock."""
    log.touch()

    def step(id_: str, **fields: str) -> Node:
        given = {"what": id_, "log": str(log), "dies": False}
        undone = {"activity": "test.undo_and_die", "input": given}
        return activity(id_, "test.undo_and_die", input=given, compensate=undone, **fields)

    choices = [{"when": f"n % 4 == {n}", "next": to} for n, to in enumerate(("refuse", "lock"))]
    saga = workflow(
        "saga",
        step("a"),
        {"id": "way", "type": "switch", "choices": choices, "default": "b"},
        step("b", next="end"),
        activity("refuse", "test.refuse", on_error="undo", next="end"),
        compensate(next="end"),
        lock("lock", "${n % 12}", body="inside", next="end"),
        step("inside", next="lock"),
        end(),
    )
    with Harness.open() as engine:
        engine.publish(saga)


def send_twice() -> None:
    """Send messages for threads once more that have one, or a worker."""
    rows = Thread.objects.filter(run__ended_at=None).values_list("id", "seq", "queue", "priority")
    publish.send_threads([ThreadReady(*row) for row in rows[:60]] * 2)


def cancel_some(dice: random.Random) -> set[UUID]:
    live = list(Run.objects.filter(ended_at=None, status="running").values_list("pk", flat=True))
    cancelled = set()
    for pk in dice.sample(live, min(3, len(live))):
        try:
            services.cancel(pk, compensate=True)
        except ConflictError:
            continue  # it was faster
        cancelled.add(pk)
    return cancelled


def assert_undone(run: Run, called: Counter[str]) -> None:
    """All that was done was undone, under the key of the step."""
    steps = NodeExecution.objects.filter(run=run, compensation__isnull=False)
    undoing = NodeExecution.objects.filter(run=run, compensates__isnull=False)
    assert set(steps.values_list("pk", flat=True)) == {row.compensates for row in undoing}
    for step in steps:
        assert called[f"{run.pk}:{step.thread_id}:{step.seq}:compensate"]


def test_what_is_cancelled_under_fire_is_undone_and_the_others_come_through(
    fleet: Workers, tmp_path: Path
) -> None:
    """Contract: side effects happen at least once with a stable idempotency key."""
    log = tmp_path / "log"
    publish_saga(log)
    runs = [services.start("saga", {"n": number}).run for number in range(RUNS)]
    over = Run.objects.exclude(ended_at=None)
    dice, cancelled = random.Random(7), set[UUID]()  # noqa: S311 - whom to kill, no secret
    for kill in range(KILLS):
        wait_for(lambda part=kill: over.count() >= part * RUNS // (2 * KILLS))  # type: ignore[misc]
        send_twice()
        fleet.strike(dice)
        cancelled |= cancel_some(dice)
        assert_invariants()
    wait_for(lambda: over.count() == RUNS, seconds=120)

    called = Counter(log.read_text(encoding="ascii").split())
    for number, run in enumerate(runs):
        run.refresh_from_db()
        assert run.status == ("cancelled" if run.pk in cancelled else "completed"), run.error
        assert_each_step_once(run)
        assert_at_rest(run)
        assert_newest_first(run)
        for step in NodeExecution.objects.filter(run=run, compensation__isnull=False):
            assert called[f"{run.pk}:{step.thread_id}:{step.seq}"]
        if run.pk in cancelled or number % 4 == 0:
            assert_undone(run, called)
    assert not LockClaim.objects.exists()
    assert_invariants()
