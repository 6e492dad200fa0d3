"""Compensation on real workers: killed between two, each step is undone once in the engine."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, each, end, workflow
from tests.support.undoing import assert_newest_first, compensate, undone
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, Run
from workflows.testing import Harness

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

ITEMS = list(range(9))


def publish(log: Path) -> None:
    given = {"what": "${item}", "log": str(log), "dies": "${item % 3 == 0}"}
    undo = {"activity": "test.undo_and_die", "input": given}
    step = activity("a", "test.echo", input={"value": "${item}"}, compensate=undo, next=None)
    refused = activity("refuse", "test.refuse", on_error="undo", next="end")
    split = each("m", "a", next="refuse")
    with Harness.open() as engine:
        engine.publish(workflow("saga", split, step, refused, compensate(next="end"), end()))


def test_workers_that_die_between_compensations(fleet: Workers, tmp_path: Path) -> None:
    """Contract: side effects happen at least once with a stable idempotency key."""
    log = tmp_path / "log"
    publish(log)
    run = services.start("saga", {"items": ITEMS}).run
    wait_for(lambda: Run.objects.filter(pk=run.pk, ended_at__isnull=False).exists(), seconds=120)
    assert_completed(run)
    assert undone(run) == ["a"] * len(ITEMS)
    assert_newest_first(run)
    assert_each_step_once(run)
    assert_at_rest(run)
    steps = NodeExecution.objects.filter(run=run, compensation__isnull=False)
    expected = {
        f"{run.pk}:{step.thread_id}:{step.seq}:compensate": 1 + step.compensation["input"]["dies"]
        for step in steps
    }
    # Who died had called already: it is called once more, by the same key.
    assert Counter(log.read_text().split()) == expected
    lost = NodeExecution.objects.filter(run=run, node="undo", status="lost")
    assert lost.count() == 3
