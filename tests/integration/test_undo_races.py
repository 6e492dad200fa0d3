"""A cancel that undoes, and a step that is written at the same moment, on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.support.assertions import assert_at_rest
from tests.support.builder import end, wait_event, workflow
from tests.support.undoing import assert_all_undone, do, forget, undone
from tests.support.waiting import wait_for
from workflows import services
from workflows.engine import ending
from workflows.models import NodeExecution
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
