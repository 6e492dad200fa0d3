"""Time limits that strike in the midst of transactions: the worker and its connections live on."""

import pytest
from django.db import connection

from tests.support import activities
from tests.support.assertions import assert_completed, assert_each_step_once
from tests.support.builder import activity, each, edit, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, QueueState, Run
from workflows.testing import Harness

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

PARTS = 100


@pytest.fixture
def fleet(workers: Workers) -> Workers:
    """One worker of two processes and a beat: all that is done is done by these."""
    workers.start(1, concurrency=2, include=activities.__name__)
    workers.start_beat()
    return workers


def publish(*definitions: dict[str, object]) -> None:
    with Harness.open() as engine:
        for definition in definitions:
            engine.publish(definition)


def is_over(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, ended_at__isnull=False).exists()


def states_of_connections() -> list[tuple[str, str]]:
    """Return (state, query) of every other connection to the test database that is not idle."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
        )
        return list(cursor.fetchall())


@pytest.mark.parametrize(
    "name",
    [
        "test.write_for_ever",
        "test.write_for_ever_with_the_step",
        "test.hold_a_query",
        "test.deaf",
    ],
)
def test_a_worker_whose_activities_run_out_of_time_works_on(fleet: Workers, name: str) -> None:
    part = activity(
        "part", name, input={"name": "p${index}"}, timeout="PT0.05S", on_error="late", next=None
    )
    late = edit("late", output="${[error.code, error.attempt]}", next=None)
    publish(
        workflow(
            "slow", each("m", "part", next="end"), part, late, end(output={"output": "${output}"})
        ),
        workflow("quick", activity("a", "test.write", input={"name": "${name}"}), end()),
    )
    QueueState.objects.bulk_create(
        QueueState(name=f"p{number}", next_at="2030-01-01T00:00Z")
        for number in range(PARTS)
        if name in {"test.write_for_ever", "test.deaf"}
    )
    kept = QueueState.objects.count()
    run = services.start("slow", {"items": list(range(PARTS))}).run
    wait_for(lambda: is_over(run))
    assert_completed(run, {"output": [["timeout", 1]] * PARTS})
    assert_each_step_once(run)
    assert not NodeExecution.objects.filter(run=run, status="lost").exists()
    assert QueueState.objects.count() == kept  # what was written with a late step is not there

    others = [services.start("quick", {"name": f"other{number}"}).run for number in range(20)]
    wait_for(lambda: all(map(is_over, others)))
    for other in others:
        assert_completed(other)
    wait_for(lambda: not states_of_connections(), seconds=30)
