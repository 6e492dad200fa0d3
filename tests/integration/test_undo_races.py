"""A cancel that undoes, and a step that is written at the same moment, on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.support.assertions import assert_at_rest
from tests.support.builder import end, gosub, wait_event, workflow
from tests.support.families import child_of
from tests.support.undoing import assert_all_undone, do, forget, undone
from tests.support.waiting import wait_for
from workflows import services
from workflows.compiler.plan import UNDOING
from workflows.engine import ending
from workflows.models import NodeExecution, Run, Thread
from workflows.store import runs
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

STEPS = (wait_event("begin", "begin"), do("a"), do("b"), wait_event("wait", "go"))
SAGA = workflow("saga", *STEPS, end())


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    forget()
    with Harness.open() as harness:
        harness.publish(SAGA)
        yield harness


def test_a_step_that_is_written_while_the_run_is_cancelled_is_undone_too(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.start("saga")
    engine.drain()
    services.send_event("begin")
    stop_all, at_work = ending.stop_all, list[Future[None]]()

    def work() -> None:
        try:
            engine.drain()
        finally:
            connection.close()

    def stop_late(*given: Any, **more: Any) -> Any:
        """The run is locked; before its threads are, one writes its first step."""
        if not at_work:
            at_work.append(pool.submit(work))
            wait_for(lambda: NodeExecution.objects.filter(run=run, node="a").exists())
        return stop_all(*given, **more)

    monkeypatch.setattr(ending, "stop_all", stop_late)
    with ThreadPoolExecutor(1) as pool:
        services.cancel(run.pk, compensate=True)
        at_work[0].result(timeout=60)
    engine.drain()
    run = engine.result(run)
    assert run.status == "cancelled"
    assert undone(run) == ["a"]
    assert_all_undone(run)
    assert_at_rest(run)


@pytest.mark.parametrize("compensate", [True, False])
def test_a_child_that_begins_to_undo_while_its_parent_is_cancelled_goes_on(
    engine: Harness, monkeypatch: pytest.MonkeyPatch, *, compensate: bool
) -> None:
    """What it was about to undo is not stopped, nor begun a second time."""
    engine.publish(workflow("main", gosub("call", "saga"), end()))
    run = engine.start("main")
    engine.drain()
    engine.send("begin")
    child = child_of(run)
    assert child.status == "suspended"
    lock_live, begun = runs.lock_live, list[str]()

    def undo() -> None:
        try:
            begun.append(services.cancel(child.pk, compensate=True).status)
        finally:
            connection.close()

    def lock_late(*given: Any) -> list[Run]:
        """The child was found; before it is locked, somebody else cancels it."""
        if not begun:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(undo).result(timeout=60)
        return lock_live(*given)

    monkeypatch.setattr(runs, "lock_live", lock_late)
    services.cancel(run.pk, compensate=compensate)
    assert begun == ["running"]
    engine.drain()
    child = engine.result(child)
    assert (child.status, undone(child)) == ("cancelled", ["b", "a"])
    assert Thread.objects.filter(run=child, node=UNDOING).count() == 1
    assert_all_undone(child)
    assert not engine.result(run).has_orphans
