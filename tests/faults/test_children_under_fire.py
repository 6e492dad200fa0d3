"""Parents and children with their workers killed: each parent goes on exactly once."""

import json
import random
from collections import Counter

import pytest
import redis

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, each, end, gosub, switch, workflow
from tests.support.families import family
from tests.support.invariants import assert_invariants
from tests.support.waiting import pause, wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, Run, Suspension

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

ITEMS, KILLS = 24, 12
#: A child of two levels: work, and below it a child that works too.
WORK = {"value": "${n}", "seconds": 0.15}
INNER = workflow(
    "inner", activity("work", "test.linger", input=WORK), end(output={"n": "${output + 1}"})
)
OUTER = workflow(
    "outer",
    activity("work", "test.linger", input=WORK),
    gosub("down", "inner", input={"n": "${output}"}, output={"n": "${child.output.n}"}),
    switch("again", "end", once="n < 3"),
    gosub("once", "inner", input={"n": "${n}"}, output={"n": "${child.output.n}"}, next="end"),
    end(output={"n": "${n}"}),
)
MAIN = workflow(
    "main",
    each("all", "call", next="end"),
    gosub(
        "call",
        "outer",
        input={"n": "${item}"},
        output={"output": "${child.output.n}"},
        retry={"attempts": 2},
        next=None,
    ),
    end(output={"all": "${output}"}),
)


def test_each_parent_goes_on_exactly_once(fleet: Workers, redis_client: redis.Redis) -> None:
    """Contract: The parent goes on exactly once, when the child run is final, in the transaction that ends the child."""  # noqa: E501
    for definition in (INNER, OUTER, MAIN):
        services.publish(json.dumps(definition))
    run = services.start("main", {"items": [n % 4 for n in range(ITEMS)]}).run
    dice = random.Random(11)  # noqa: S311
    for kill in range(KILLS):
        pause(dice.uniform(0.2, 0.8))
        if kill == KILLS // 2:
            redis_client.flushall()
        fleet.strike(dice)
        assert_invariants()
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=120)

    expected = [{0: 2, 1: 3, 2: 3, 3: 4}[n % 4] for n in range(ITEMS)]
    assert_completed(run, {"all": expected})
    below = family(run)
    assert {each_run.status for each_run in below} == {"completed"}
    for each_run in below:
        assert_each_step_once(each_run)
        assert_at_rest(each_run)
    # One child an asking step, none twice, and none that nobody has asked for.
    asked = Counter(Run.objects.filter(parent__isnull=False).values_list("asked_by", flat=True))
    assert set(asked.values()) == {1}
    waits = Suspension.objects.filter(kind="child")
    assert waits.count() == len(below) - 1
    assert set(waits.values_list("state", "resolved_by", "attempt")) == {("resolved", "child", 1)}
    # An attempt whose worker was killed before it slept is told as lost.
    calls = NodeExecution.objects.filter(kind="gosub").exclude(status="lost")
    assert set(calls.values_list("status", flat=True)) == {"completed"}
    assert calls.count() == len(below) - 1
    assert_invariants()


def test_a_cancel_under_fire_leaves_nobody_behind(fleet: Workers) -> None:
    for definition in (INNER, OUTER, MAIN):
        services.publish(json.dumps(definition))
    dice = random.Random(5)  # noqa: S311
    for _ in range(3):
        run = services.start("main", {"items": [n % 4 for n in range(ITEMS)]}).run
        wait_for(lambda run=run: Run.objects.filter(root_id=run.pk).count() > ITEMS)  # type: ignore[misc]
        fleet.kill_pool_process(dice)
        services.cancel(run.pk)
        fleet.kill_pool_process(dice)
        wait_for(lambda: not Run.objects.filter(ended_at__isnull=True).exists())
        for each_run in family(run):
            assert_at_rest(each_run)
            assert_each_step_once(each_run)
        assert not Run.objects.filter(has_orphans=True).exists()
        assert_invariants()
