"""Everything inside everything, with questions, while its workers are killed: the same output."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import (
    activity,
    ask,
    batch,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    workflow,
)
from tests.support.families import family
from tests.support.invariants import assert_invariants
from tests.support.waiting import pause, wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import Lease, NodeExecution, QueueState, Run, Suspension, ThreadGroup
from workflows.testing import Harness

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

ITEMS, SLICE, KILLS = 250, 50, 10
LEAVES = 2 * ITEMS
ASKING = workflow(
    "asking",
    edit("before", doubled="${n * 2}"),
    ask("ask", "${n}", form={"type": "integer"}, result="said"),
    end(output={"n": "${doubled + said}"}),
)
#: A batch; in each slice a map; in each item a split; one of its branches asks in a child run.
NESTED = workflow(
    "nested",
    batch("slices", "rows", size=SLICE, parallel=3, next="end"),
    each("rows", "split", next=None),
    fan_out("split", asked="call", worked="work"),
    gosub(
        "call", "asking", input={"n": "${item}"}, output={"got": "${child.output.n}"}, next="say"
    ),
    edit("say", output="${[got]}", next="j"),
    activity("work", "test.linger", input={"value": "${item}", "seconds": 0.01}, next="keep"),
    edit("keep", output="${[output]}", next="j"),
    fan_in("j", next=None),
    end(output={"output": "${output}"}),
)


@pytest.fixture(autouse=True)
def olga(transactional_db: None) -> User:
    return User.objects.create(username="olga", is_superuser=True)


def begin() -> Run:
    for definition in (ASKING, NESTED):
        services.publish(json.dumps(definition))
    return services.start("nested", {"items": list(range(ITEMS))}).run


def active(run: Run) -> list[Suspension]:
    """Return the questions of the family that are asked now."""
    return list(Suspension.objects.filter(family=run.pk, state="open", is_asked=True)[:2])


def answer(question: Suspension, olga: User) -> None:
    services.answer_question(question.pk, int(question.prompt) * 100, by=olga)


class Watch:
    """Looks, all the time, how many questions of a family are asked at once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seen: Counter[int] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        try:
            while not self._stop.wait(0.01):
                self.seen[len(active(self.run))] += 1
        finally:
            connection.close()


def undisturbed(olga: User) -> Any:
    """Return the output of a run in this process; nothing of it is left."""
    with Harness.open() as engine:
        run = begin()
        engine.drain()
        while not engine.result(run).ended_at:
            for question in iter(lambda: active(run), []):
                answer(question[0], olga)
            engine.drain()
        output = engine.result(run).output
    for model in (Run, Lease, QueueState):  # its virtual time is far ahead
        model.objects.all().delete()
    return output


def answer_all(run: Run, olga: User, after_each: Callable[[int], None]) -> None:
    for number in range(ITEMS):
        wait_for(lambda: active(run), seconds=90, every=0.01)
        (question,) = active(run)
        answer(question, olga)
        after_each(number)


def test_workers_are_killed_and_the_output_is_the_undisturbed_one(
    fleet: Workers, olga: User
) -> None:
    """Contract: Groups nest without limit.
    Contract: Splits, batches and waits work inside children.
    """
    expected = undisturbed(olga)
    assert len(expected["output"]) == ITEMS
    dice = random.Random(3)  # noqa: S311
    moments = set(dice.sample(range(ITEMS), KILLS))
    killed: list[str] = []

    def kill(number: int) -> None:
        if number not in moments:
            return
        pause(dice.uniform(0, 0.2))
        killed.append(fleet.strike(dice))

    run = begin()
    with Watch(run) as watch:
        answer_all(run, olga, kill)
        wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=90)
    assert len(killed) == KILLS
    assert_completed(run, expected)
    assert set(watch.seen) <= {0, 1}
    assert watch.seen[1] > 100
    assert_once(run)


def assert_once(run: Run) -> None:
    """Every join has fired once, every question was asked once, every child has run once."""
    assert_invariants()
    below = family(run)
    assert len(below) == 1 + ITEMS
    assert {each_run.status for each_run in below} == {"completed"}
    assert_each_step_once(run)
    for each_run in below:
        assert_at_rest(each_run)
    slices = ITEMS // SLICE
    groups = Counter(ThreadGroup.objects.filter(run=run).values_list("node", "state"))
    assert groups == {
        ("slices", "joined"): 1,
        ("rows", "joined"): slices,
        ("split", "joined"): ITEMS,
    }
    done = NodeExecution.objects.filter(run__in=below, status="completed")
    counted = Counter(done.values_list("node", flat=True))
    assert counted["call"] + counted["work"] == LEAVES
    assert {node: counted[node] for node in ("slices", "rows", "j", "ask")} == {
        "slices": 1,
        "rows": slices,
        "j": ITEMS,
        "ask": ITEMS,
    }
    asked = Suspension.objects.filter(family=run.pk, kind="person")
    assert set(asked.values_list("state", "resolved_by", "attempt")) == {("resolved", "answer", 1)}
    assert asked.count() == ITEMS
