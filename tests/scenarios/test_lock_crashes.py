"""A worker dies before any commit around locks and compensations: nothing stays behind."""

from typing import Any

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import Node, delay, edit, end, fan_in, fan_out, wait_event, workflow
from tests.support.invariants import assert_invariants
from tests.support.locking import inside_of, lock, run_all
from tests.support.undoing import assert_newest_first, compensate, do, forget, undone
from workflows import services
from workflows.models import LockClaim, Run
from workflows.testing import Harness, crash_everywhere

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

NAP = delay("nap", "PT1M")


def ended(engine: Harness, *runs: Run) -> list[Run]:
    """Let an hour pass, and return the runs, which are over and have left nothing behind."""
    engine.jump(hours=1)
    over = [engine.result(run) for run in runs]
    for run in over:
        assert run.ended_at
        assert_each_step_once(run)
        assert_at_rest(run)
    assert not LockClaim.objects.exists()
    assert_invariants()
    return over


def nested(name: str, outer: str, inner: str) -> dict[str, Any]:
    second = lock("inner", inner, body="hold", next=None)
    return inside_of(NAP, second, edit("hold", next=None), lock=outer, name=name)


def test_a_cycle_ends_with_one_failure_wherever_a_worker_dies() -> None:
    """Contract: a cycle of waiters is found and the youngest fails with the cycle printed."""

    def story(engine: Harness) -> None:
        engine.publish(nested("xy", "x", "y"))
        engine.publish(nested("yx", "y", "x"))
        runs = ended(engine, *run_all(engine, "xy", "yx"))
        codes = sorted((run.error or {}).get("code", "") for run in runs)
        # A worker that dies may hold one of them up until the other one is through.
        assert codes in (["", "lock_cycle"], ["", ""])

    assert crash_everywhere(story) > 10


def test_a_lock_that_is_released_is_taken_again_wherever_a_worker_dies() -> None:
    def story(engine: Harness) -> None:
        body = (NAP, edit("hold"))
        engine.publish(inside_of(*body, release_while_suspended=True))
        for run in ended(engine, *run_all(engine, "locked", "locked")):
            assert_completed(run)

    assert crash_everywhere(story) > 10


def undoing(engine: Harness, *nodes: Node) -> Run:
    """Do three things, one before and two beside each other, and whatever follows each."""
    forget()
    split = fan_out("split", left="b", right="c")
    engine.publish(workflow("saga", do("a"), split, *nodes, fan_in("join"), *WAITING, end()))
    run = engine.start("saga")
    engine.drain()
    engine.recover()
    return run


WAITING: list[Node] = [wait_event("wait", "go", timeout="PT10M", on_timeout="end")]


def test_a_cancelled_run_is_undone_once_wherever_a_worker_dies() -> None:
    def story(engine: Harness) -> None:
        run = undoing(engine, do("b", next="join"), do("c", next="join"))
        services.cancel(run.pk, compensate=True)
        (run,) = ended(engine, run)
        assert run.status == "cancelled"
        assert sorted(undone(run)) == ["a", "b", "c"]
        assert_newest_first(run)

    assert crash_everywhere(story) > 10


def test_branches_that_undo_take_turns_wherever_a_worker_dies() -> None:
    def story(engine: Harness) -> None:
        left = (do("b", next="u"), compensate("u", next="join"))
        right = (do("c", next="v"), compensate("v", next="join"))
        (run,) = ended(engine, undoing(engine, *left, *right))
        assert_completed(run)
        assert sorted(undone(run)) == ["a", "b", "c"]
        assert_newest_first(run)

    assert crash_everywhere(story) > 10
