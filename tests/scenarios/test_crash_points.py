"""The crash points of the harness: what was not committed is gone, and the run goes on."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase

from tests.support.activities import calls
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    switch,
    wait_event,
    workflow,
)
from tests.support.invariants import assert_invariants
from tests.support.undoing import compensate, do, forget
from workflows import conf
from workflows.models import NodeExecution, QueueState, Run
from workflows.testing import (
    Harness,
    assert_at_rest,
    assert_attempts,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_history,
    assert_waiting_for,
    crash_everywhere,
    fails,
    returns,
)
from workflows.testing.harness import EPOCH

pytestmark = [pytest.mark.both_databases]

#: Some tests run in transactions of their own, and once more in one around the whole test.
ways = pytest.mark.parametrize(
    "inside",
    [
        pytest.param(False, id="committing", marks=pytest.mark.django_db(transaction=True)),
        pytest.param(True, id="in_one_transaction", marks=pytest.mark.django_db),
    ],
)


@pytest.fixture(autouse=True)
def _count_from_zero() -> None:
    calls.clear()


def paying(**fields: Any) -> dict[str, Any]:
    return workflow(
        "pay",
        switch("large", "pay", ask="total > 500"),
        wait_event("ask", "answered", next="pay"),
        activity("pay", "test.count", result="calls", **fields),
        delay("cool", "PT1H"),
        end(output={"calls": "${calls}"}),
    )


@ways
def test_a_crash_before_a_step_loses_it_and_the_run_goes_on(*, inside: bool) -> None:
    with Harness.open() as engine:
        assert connection.in_atomic_block is inside
        engine.publish(paying())
        engine.crash_before("pay")
        run = engine.start("pay", {"total": 1})
        engine.drain()
        assert engine.crashes.happened == 1
        # Of the whole commit nothing is left, and the claim of the dead worker still counts.
        assert not NodeExecution.objects.filter(run=run).exists()
        assert run.threads.get().state == "running"
        engine.recover()
        assert_waiting_for(run, "cool")
        lease = conf.settings().lease_seconds
        assert lease <= (engine.clock.moment - EPOCH).total_seconds() < lease + 1
        engine.jump(hours=1)
        assert_completed(run, {"calls": 2})
        assert_history(run, "start", "large", "pay", "cool", "end")
        assert_each_step_once(run)
        assert_invariants()


@ways
def test_a_crash_after_a_call_leaves_the_answer_unrecorded(*, inside: bool) -> None:
    with Harness.open() as engine:
        engine.publish(paying(retry={"attempts": 3}))
        engine.crash_before(activity="test.count", times=2)
        run = engine.run("pay", {"total": 1})
        assert_completed(run, {"calls": 3})
        assert_attempts(run, "pay", "lost", "completed")
        assert_attempts(run, "start", "lost", "completed")
        assert_each_step_once(run)


@ways
def test_a_step_that_always_kills_its_worker_becomes_an_error(*, inside: bool) -> None:
    with Harness.open() as engine:
        engine.publish(paying(retry={"attempts": 2}))
        engine.crash_before(activity="test.count", times=2)
        assert_failed(engine.run("pay", {"total": 1}), "lost_work", "pay")


@ways
def test_a_crash_after_a_call_that_undoes(*, inside: bool) -> None:
    """The activity is named by `compensate` only: its step is recorded at another node."""
    with Harness.open() as engine:
        forget()
        failing = activity("b", "test.fails", on_error="undo")
        undo = compensate(retry={"attempts": 2}, result="undone")
        engine.script("test.fails", fails("no", final=True))
        engine.script("test.undo", returns())
        engine.publish(workflow("saga", do("a"), failing, undo, end()))
        engine.crash_before(activity="test.undo")
        run = engine.run("saga")
        assert_completed(run)
        assert len(engine.calls("test.undo")) == 2
        assert_attempts(run, "undo", "lost", "completed", "completed")


@ways
def test_a_crash_on_falling_asleep_keeps_the_early_event(*, inside: bool) -> None:
    with Harness.open() as engine:
        engine.publish(paying())
        engine.crash_before("ask")
        run = engine.start("pay", {"total": 501})
        engine.drain()
        engine.send("answered")
        engine.recover()
        assert_waiting_for(run, "cool")


@ways
def test_what_a_transactional_activity_wrote_goes_with_the_crash(*, inside: bool) -> None:
    """Contract: `transactional=True`: its writes and the thread's step commit together."""
    with Harness.open() as engine:
        engine.publish(workflow("w", activity("a", "test.write", input={"name": "written"}), end()))
        engine.crash_before(activity="test.write")
        run = engine.start("w")
        engine.drain()
        assert engine.crashes.happened == 1
        assert not QueueState.objects.filter(name="written").exists()
        engine.recover()
        assert_completed(run)  # a second row of that name would be refused
        assert QueueState.objects.filter(name="written").exists()


CHILD = workflow(
    "child",
    activity("work", "test.double", input={"number": "${n}"}),
    end(output={"n": "${output}"}),
)
NESTED = workflow(
    "nested",
    fan_out("f", rows="rows", asks="asks"),
    batch("rows", "inner", size=1, parallel=1, merge="rows", next="rowed"),
    fan_out("inner", c="call", d="nap"),
    gosub(
        "call", "child", input={"n": "${items[0]}"}, output={"got": "${child.output.n}"}, next="k"
    ),
    edit("k", output="${got}", next="j1"),
    delay("nap", "PT5S", next="j1"),
    fan_in("j1", next="kept"),
    edit("kept", rows="${[output]}", next=None),
    edit("rowed", output="${rows}", next="j"),
    wait_event("asks", "answered", result="answer", next="told"),
    edit("told", output="${answer.data}", next="j"),
    fan_in("j"),
    end(output={"output": "${output}"}),
)


def tell_nested(engine: Harness) -> None:
    engine.publish(CHILD)
    engine.publish(NESTED)
    run = engine.start("nested", {"items": [1, 2]})
    engine.jump(seconds=1)
    engine.send("answered", data="yes")
    engine.jump(minutes=2)
    assert_completed(run, {"output": [2, 4, "yes"]})
    assert_each_step_once(run)
    assert_at_rest(run)
    assert_invariants()


def tell_payment(engine: Harness) -> None:
    engine.publish(paying())
    run = engine.start("pay", {"total": 501})
    engine.jump(seconds=1)
    engine.send("answered")
    engine.jump(hours=2)
    assert_completed(run)
    assert_each_step_once(run)
    assert_history(run, "start", "large", "ask", "pay", "cool", "end")
    assert_invariants()


@ways
def test_a_run_survives_a_crash_before_each_of_its_commits(*, inside: bool) -> None:
    survived = crash_everywhere(tell_payment)
    assert survived > 7
    assert Run.objects.filter(status="completed").count() == survived + 1


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_nested_run_survives_a_crash_before_each_of_its_commits() -> None:
    assert crash_everywhere(tell_nested, seed=1) > 20
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}


@pytest.mark.django_db(transaction=True)
def test_parts_in_one_hand_are_lost_together_and_done_again() -> None:
    with Harness.open() as engine:
        engine.publish(
            workflow(
                "map",
                each("m", "part", next="end"),
                activity("part", "test.echo", input={"value": "${item}"}, next=None),
                end(output={"output": "${output}"}),
            )
        )
        engine.crash_before("part", times=3)
        run = engine.run("map", {"items": list(range(20))})
        assert_completed(run, {"output": list(range(20))})
        assert engine.crashes.happened == 3


@pytest.mark.django_db
def test_a_crash_that_never_comes_fails_the_test() -> None:
    with pytest.raises(AssertionError, match=r"never came to crash_before\('ask'\)"):  # noqa: PT012, SIM117
        with Harness.open() as engine:
            engine.publish(paying())
            engine.crash_before("ask")
            engine.run("pay", {"total": 1})


@pytest.mark.django_db
def test_a_failed_test_is_not_hidden_by_a_crash_that_never_came() -> None:
    with pytest.raises(ZeroDivisionError), Harness.open() as engine:  # noqa: PT012
        engine.publish(paying())
        engine.crash_before("ask")
        raise ZeroDivisionError


@pytest.mark.django_db
def test_a_crash_at_what_is_not_there_is_refused_with_the_nearest_name() -> None:
    with Harness.open() as engine:
        engine.publish(paying())
        with pytest.raises(LookupError, match=r"node 'asc' .*'ask'"):
            engine.crash_before("asc")
        with pytest.raises(LookupError, match=r"activity 'test.cont' .*'test.count'"):
            engine.crash_before(activity="test.cont")
        with pytest.raises(TypeError, match="takes one of"):
            engine.crash_before("ask", commit=1)
        with pytest.raises(TypeError, match="takes one of"):
            engine.crash_before()


@pytest.mark.django_db
def test_a_start_inside_the_tests_own_transaction_vanishes_with_it() -> None:
    with Harness.open() as engine:
        engine.publish(paying())
        with transaction.atomic():
            run = engine.start("pay", {"total": 1})
            assert not engine.box.messages  # nothing is said before it is committed
            transaction.set_rollback(True)
        engine.drain()
        assert not Run.objects.filter(pk=run.pk).exists()
        with transaction.atomic():
            run = engine.start("pay", {"total": 1})
        assert len(engine.box.messages) == 1
        engine.drain()
        assert_waiting_for(run, "cool")
        assert engine.clock.moment == EPOCH


class InATestCase(TestCase):
    def setUp(self) -> None:
        self.engine = self.enterContext(Harness.open())

    def test_a_nested_run_goes_as_usual(self) -> None:
        tell_nested(self.engine)

    def test_what_the_test_left_to_its_own_commit_stays_there(self) -> None:
        with self.captureOnCommitCallbacks(execute=True) as called:
            tell_nested(self.engine)
        assert called == []
