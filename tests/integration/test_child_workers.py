"""Child runs on real workers: deep ones need no slots, and a cancel reaches them in time."""

import json

import pytest

from tests.support.assertions import assert_completed, assert_each_step_once
from tests.support.builder import each, end, gosub, switch, wait_event, workflow
from tests.support.families import FACTORIAL, family
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import Run

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

DEPTH = 50


def publish(*definitions: dict[str, object]) -> None:
    for definition in definitions:
        services.publish(json.dumps(definition))


def ended(run: Run) -> bool:
    return Run.objects.get(pk=run.pk).ended_at is not None


def test_fifty_runs_deep_need_one_worker_with_one_slot(workers: Workers) -> None:
    """Contract: The parent thread sleeps; no worker slot is held, however deep."""
    workers.start(1, concurrency=1)
    down = gosub("down", "deep", input={"n": "${n - 1}"}, output={"n": "${child.output.n + 1}"})
    last = end("done", output={"n": "${n}"})
    limits = {"depth": DEPTH}
    publish(workflow("deep", switch("more", "done", down="n > 0"), down, last, limits=limits))
    run = services.start("deep", {"n": DEPTH}).run
    wait_for(lambda: ended(run))
    assert_completed(run, {"n": DEPTH})
    below = family(run)
    assert [each_run.depth for each_run in below] == list(range(DEPTH + 1))
    for each_run in below:
        assert_each_step_once(each_run)


def test_children_of_a_map_on_several_workers(workers: Workers) -> None:
    workers.start(2, concurrency=2)
    call = gosub("call", "factorial", input={"n": "${item}"}, next=None)
    call["output"] = {"output": "${child.output.value}"}
    publish(
        FACTORIAL,
        workflow("main", each("m", "call", next="end"), call, end(output={"o": "${output}"})),
    )
    run = services.start("main", {"items": [1, 2, 3, 4, 5] * 8}).run
    wait_for(lambda: ended(run))
    assert_completed(run, {"o": [1, 2, 6, 24, 120] * 8})
    assert len(family(run)) == 1 + 8 * (1 + 2 + 3 + 4 + 5)


def test_a_cancel_reaches_all_children_within_a_second(workers: Workers) -> None:
    workers.start(1)
    publish(workflow("leaf", wait_event("ask", "go"), end()))
    publish(workflow("branch", gosub("down", "leaf"), end()))
    call = gosub("call", "branch", next=None)
    publish(workflow("main", each("m", "call", next="end"), call, end()))
    run = services.start("main", {"items": list(range(20))}).run
    wait_for(lambda: Run.objects.filter(workflow_name="leaf", status="suspended").count() == 20)
    services.cancel(run.pk)
    wait_for(lambda: not Run.objects.filter(ended_at__isnull=True).exists(), seconds=10)
    cancelled = Run.objects.get(pk=run.pk).ended_at
    assert cancelled is not None
    for each_run in family(run):
        assert each_run.status == "cancelled"
        assert each_run.ended_at is not None
        assert (each_run.ended_at - cancelled).total_seconds() < 1.0
