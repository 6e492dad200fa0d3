"""Tools for testing workflows in process: virtual time, any order, crashes, no broker.

with Harness.open() as engine:
    engine.script("shop.refund", fails("bank_busy"), returns({"reference": "R1"}))
    engine.publish(Path("refund.yaml").read_text())
    engine.crash_before("pay")
    run = engine.run("refund", {"order": {"id": "A-17"}})
    assert_completed(run, output={"reference": "R1"})
"""

from workflows.dispatch.task_calls import answered_by as answer_tasks
from workflows.testing.assertions import (
    assert_at_rest,
    assert_attempts,
    assert_cancelled,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_history,
    assert_waiting_for,
    visited,
)
from workflows.testing.harness import Harness, VirtualClock, crash_everywhere
from workflows.testing.scripts import fails, returns

__all__ = [
    "Harness",
    "VirtualClock",
    "answer_tasks",
    "assert_at_rest",
    "assert_attempts",
    "assert_cancelled",
    "assert_completed",
    "assert_each_step_once",
    "assert_failed",
    "assert_history",
    "assert_waiting_for",
    "crash_everywhere",
    "fails",
    "returns",
    "visited",
]
