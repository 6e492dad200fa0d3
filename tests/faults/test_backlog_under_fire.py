"""Workers that are late move several runs side by side, and are killed while they do."""

import random

import pytest
from django.db.models import Count

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, edit, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, QueueState, Run, Thread
from workflows.testing import Harness

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

RUNS, KILLS = 120, 6
MIXED = workflow(
    "mixed",
    activity("first", "test.double", input={"number": "${number}"}, result="first"),
    activity("written", "test.write", input={"name": "${name}"}, result="written"),
    activity(
        "slow", "test.linger", input={"value": "${first}", "seconds": "${slow}"}, result="slow"
    ),
    activity("refused", "test.refuse", on_error="caught", result="never"),
    edit("caught", code="${error.code}", next="last"),
    activity("last", "test.echo", input={"value": "${code}"}, result="last"),
    end(output={"first": "${first}", "name": "${written}", "code": "${last}"}),
)


def start(number: int) -> Run:
    name = f"run{number}"
    slow = 0.3 if number % 20 == 0 else 0.0
    return services.start("mixed", {"number": number, "name": name, "slow": slow}).run


def test_every_run_of_a_backlog_ends_and_every_step_is_recorded_once(fleet: Workers) -> None:
    with Harness.open() as engine:
        engine.publish(MIXED)
    for number in range(RUNS, RUNS + 20):  # in which the pool learns what the nodes cost
        start(number)
    wait_for(lambda: not Run.objects.filter(ended_at=None).exists())

    runs = [start(number) for number in range(RUNS)]
    over = Run.objects.filter(pk__in=[run.pk for run in runs]).exclude(ended_at=None)
    chance = random.Random(7)  # noqa: S311 - whom to kill, no secret
    for kill in range(KILLS):
        wait_for(lambda part=kill: over.count() >= part * RUNS // (2 * KILLS))  # type: ignore[misc]
        fleet.kill_pool_process(chance)
    wait_for(lambda: over.count() == RUNS, seconds=120)

    for number, run in enumerate(runs):
        run.refresh_from_db()
        assert_completed(run, {"first": number * 2, "name": f"run{number}", "code": "refused"})
        assert_each_step_once(run)
        assert_at_rest(run)
    together = Thread.objects.filter(run__in=runs).values("claimed_at").annotate(many=Count("id"))
    assert together.filter(many__gt=1).exists(), "no worker was late"
    # Written with the step, so exactly once, however often a worker died on the way.
    written = QueueState.objects.filter(name__startswith="run").values_list("name", flat=True)
    assert sorted(written) == sorted(f"run{number}" for number in range(RUNS + 20))
    failed = NodeExecution.objects.filter(run__in=runs, node="refused", status="failed")
    assert failed.count() == RUNS
