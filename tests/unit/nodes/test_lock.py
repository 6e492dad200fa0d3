from datetime import timedelta
from typing import Any

import pytest

from tests.unit.nodes.bench import node
from workflows.nodes.outcomes import Continue, Enter, Fail, Suspend
from workflows.nodes.suspensions import LockWait, Resolution


def lock(name: Any = "x", **config: Any) -> Any:
    return node("lock", name=name, body="b", next="n", **config)


def test_it_waits_for_the_lock() -> None:
    given = {"names": ["x"], "mode": "exclusive", "limit": None}
    assert lock().run() == Suspend(LockWait(["x"]), input=given)


def test_mode_limit_and_the_rest_go_with_it() -> None:
    outcome = lock(limit=3, timeout="PT5S", release_while_suspended=True).run()
    wait = LockWait(["x"], limit=3, is_released_asleep=True, timeout=timedelta(seconds=5))
    assert outcome.wait == wait
    assert lock(mode="shared").run().wait == LockWait(["x"], is_shared=True)


def test_names_are_taken_in_one_order_and_each_once() -> None:
    assert lock(["b", "a", "${n}", "b"]).run(n=7).wait.names == ["7", "a", "b"]


def test_a_list_of_names_may_come_from_the_context() -> None:
    assert lock("${all}").run(all=["y", "x"]).wait.names == ["x", "y"]


@pytest.mark.parametrize(
    "value", ["", " ", True, None, 1.5, {}, [], [None], ["x"] * 101, " " * 200 + "x"]
)
def test_a_name_that_is_none_fails(value: Any) -> None:
    outcome = lock("${name}").run(name=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "lock_name_invalid"


def test_it_goes_into_the_body_with_what_it_holds() -> None:
    held = {"id": "1", "names": ["x"]}
    outcome = lock().resume(Resolution("lock", held), a=1)
    assert outcome == Enter({"a": 1}, {}, lock=held, output={"lock": "taken"})


def test_back_from_the_body_it_goes_on() -> None:
    made = lock()
    assert made.kind.again(made.call({"a": 2}), {}) == Continue({"a": 2}, output={"lock": "left"})


def test_at_the_timeout_it_goes_on_elsewhere_or_fails() -> None:
    late = lock(timeout="PT1S", on_timeout="l").resume(Resolution("timer"), a=1)
    assert late == Continue({"a": 1}, port="on_timeout")
    failed = lock(timeout="PT1S").resume(Resolution("timer"))
    assert isinstance(failed, Fail)
    assert failed.code == "lock_timeout"


def test_a_shared_lock_has_no_limit() -> None:
    assert [pointer for pointer, _ in lock(mode="shared", limit=1).problems] == ["/limit"]
    assert not lock(limit=1).problems
