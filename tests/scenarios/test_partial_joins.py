"""Joins that do not wait for all, and what becomes of the rest."""

from typing import Any

import pytest

from tests.support.activities import calls
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_failed,
    assert_waiting_for,
    part_states,
    seconds_of,
    visited,
)
from tests.support.builder import (
    activity,
    ask,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.invariants import assert_invariants
from tests.support.orders import MANY, assert_output_in_every_order, runs_in_every_order
from workflows import services
from workflows.models import Suspension, Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LETTERS = ("a", "b", "c", "d", "e")


def alike(**join: Any) -> dict[str, Any]:
    """Five branches that do the same."""
    parts = [edit(name, output=[name], next="j") for name in LETTERS]
    return workflow(
        "partial", fan_out("f", **{name: name for name in LETTERS}), *parts, fan_in("j", **join),
        end(),
    )  # fmt: skip


def timed(**join: Any) -> dict[str, Any]:
    """Three branches that arrive after 1, 2 and 3 seconds, against the order they stand in."""
    return workflow(
        "partial",
        fan_out("f", c="c", b="b", a="a"),
        *(
            node
            for seconds, name in enumerate("abc", start=1)
            for node in (
                delay(name, f"PT{seconds}S", next=f"{name}2"),
                edit(f"{name}2", output=[name], next="j"),
            )
        ),
        fan_in("j", **join),
        end(),
    )


def test_all_is_the_default_and_can_be_written() -> None:
    """Contract: `wait_for: all` (default)"""
    assert_output_in_every_order(timed(), {}, {"output": ["c", "b", "a"]})
    assert_output_in_every_order(timed(wait_for="all"), {}, {"output": ["c", "b", "a"]})


def test_any_goes_on_with_the_first_that_arrives() -> None:
    """Contract: `wait_for: any`"""
    for run in runs_in_every_order(timed(wait_for="any"), orders=MANY):
        assert_completed(run, {"output": ["a"]})
        assert seconds_of(run) == 1
        assert part_states(run) == ["cancelled", "cancelled", "arrived"]


def test_a_number_goes_on_with_so_many_in_the_order_of_the_definition() -> None:
    """Contract: `wait_for`: a number"""
    for run in runs_in_every_order(timed(wait_for=2), orders=MANY):
        assert_completed(run, {"output": ["b", "a"]})
        assert seconds_of(run) == 2


def test_the_first_n_are_exactly_n() -> None:
    for run in runs_in_every_order(alike(wait_for=2), orders=MANY):
        assert sorted(part_states(run)) == ["arrived"] * 2 + ["cancelled"] * 3
        arrived = [
            name for name, state in zip(LETTERS, part_states(run), strict=True)
            if state == "arrived"
        ]  # fmt: skip
        assert_completed(run, {"output": arrived})
        assert visited(run).count("j") == 1


def test_a_condition_over_the_group_decides() -> None:
    """Contract: CEL over `group` (`arrived, failed, expected, live`)"""
    for wait_for, after in (
        ("group.arrived * 2 > group.expected", 2),
        ("group.live <= 1", 2),
        ("group.failed == 0 && group.arrived == least", 3),
    ):
        for run in runs_in_every_order(timed(wait_for=wait_for), {"least": 3}):
            assert_completed(run)
            assert seconds_of(run) == after


def test_branches_that_end_elsewhere_do_not_arrive() -> None:
    definition = workflow(
        "partial",
        fan_out("f", a="a", b="b", c="c"),
        edit("a", output=["a"], next=None),
        delay("b", "PT1S", next="b2"),
        edit("b2", output=["b"], next="j"),
        delay("c", "PT1H", next="j"),
        fan_in("j", wait_for="any"),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"output": ["b"]})
        assert part_states(run) == ["ended", "arrived", "cancelled"]


def test_the_rest_is_cancelled_with_all_that_is_inside_of_it(engine: Harness) -> None:
    """Contract: `rest: cancel` (default when partial)"""
    engine.publish(workflow("called", ask("ask"), end()))
    engine.publish(
        workflow(
            "partial",
            fan_out("f", go="go", deep="deep", person="person", child="child", event="event"),
            wait_event("go", "go", next="j"),
            each("deep", "inner", next="j"),
            fan_out("inner", x="x", y="y"),
            wait_event("x", "x", next=None),
            delay("y", "P1D", next=None),
            ask("person", next="j"),
            {"id": "child", "type": "gosub", "workflow": "called", "next": "j"},
            wait_event("event", "never", next="j"),
            fan_in("j", wait_for="any", next="rest"),
            wait_event("rest", "rest"),
            end(output={"done": True}),
        )
    )
    run = engine.start("partial", {"items": [1, 2]})
    engine.drain()
    engine.send("go")
    engine.drain()
    assert_waiting_for(run, "rest")
    assert Thread.objects.filter(run=run).exclude(state__in=("cancelled", "arrived")).count() == 1
    states = ThreadGroup.objects.filter(run=run).values_list("state", flat=True)
    assert sorted(states) == ["cancelled"] * 3 + ["joined"]
    assert_invariants()
    child = Suspension.objects.get(run=run, node="child").children.get()
    assert child.status == "cancelled"
    assert engine.send("x").woke == ()
    engine.send("rest")
    assert_completed(run, {"done": True})


def test_the_rest_can_be_absorbed(engine: Harness) -> None:
    """Contract: `rest: absorb`"""
    calls.clear()
    engine.publish(
        workflow(
            "partial",
            fan_out("f", a="a", b="b", c="c"),
            edit("a", output=["a"], next="j"),
            delay("b", "PT5S", next="b2"),
            activity("b2", "test.count", next="b3"),
            edit("b3", output=["b"], next="j"),
            each("c", "item", next="j"),
            delay("item", "PT6S", next=None),
            fan_in("j", wait_for="any", rest="absorb", next="later"),
            delay("later", "PT10S"),
            end(),
        )
    )
    run = engine.start("partial", {"items": [1]})
    engine.jump(seconds=1)
    assert part_states(run, "f") == ["arrived", "suspended", "joining"]
    assert_invariants()
    engine.jump(seconds=8)
    assert part_states(run, "f") == ["arrived", "arrived", "arrived"]
    assert sum(calls.values()) == 1
    engine.jump(seconds=1)
    assert_completed(run, {"items": [1], "output": ["a"]})
    assert visited(run).count("j") == 1
    calls.clear()


def test_absorbed_branches_that_were_not_begun_keep_the_context_of_the_split() -> None:
    definition = workflow(
        "partial",
        edit("before", n=1),
        fan_out("f", **{name: name for name in LETTERS}),
        *(
            node
            for name in LETTERS
            for node in (
                edit(name, seen="${n}", output=[name], next=f"{name}2"),
                activity(f"{name}2", "test.echo", input={"value": "${seen}"}, result="s", next="j"),
            )
        ),
        fan_in("j", wait_for=1, rest="absorb", next="after"),
        edit("after", n=2, output="changed"),
        delay("later", "PT1M"),
        end(),
    )
    for run in runs_in_every_order(definition, orders=MANY):
        assert_completed(run, {"n": 2, "output": "changed"})
        assert set(part_states(run)) == {"arrived"}
        steps = run.history.filter(node__in=[f"{name}2" for name in LETTERS])
        assert [step.output["s"] for step in steps] == [1] * 5


def test_what_is_left_behind_changes_nothing_even_when_it_fails(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            fan_out("f", a="a", b="b", c="c"),
            edit("a", output=["a"], next="j"),
            delay("b", "PT1S", next="bad"),
            activity("bad", "test.refuse", next="j"),
            fan_out("c", d="d"),
            delay("d", "PT1S", next="bad2"),
            activity("bad2", "test.refuse", next=None),
            fan_in("j", wait_for="any", rest="absorb", next="later"),
            delay("later", "PT10S"),
            end(),
        )
    )
    run = engine.run("partial")
    assert_completed(run, {"output": ["a"]})
    assert part_states(run) == ["arrived", "failed", "failed", "failed"]


def test_the_end_of_the_run_stops_what_was_left_behind(engine: Harness) -> None:
    engine.publish(timed(wait_for="any", rest="absorb"))
    run = engine.run("partial")
    assert_completed(run, {"output": ["a"]})
    assert part_states(run) == ["cancelled", "cancelled", "arrived"]
    assert_at_rest(run)
    assert engine.send("never").woke == ()


def test_a_left_behind_branch_survives_a_lost_worker_and_lost_messages(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            fan_out("f", a="a", b="b", c="c"),
            edit("a", output=["a"], next="j"),
            activity("b", "test.echo", next="j"),
            activity("c", "test.echo", next="j"),
            fan_in("j", wait_for="any", rest="absorb", next="later"),
            delay("later", "PT5M"),
            end(),
        )
    )
    run = engine.start("partial")
    while ThreadGroup.objects.filter(run=run, state="joined").count() == 0:
        assert engine.pump.step()
    assert "arrived" in part_states(run)
    engine.lose_messages()
    engine.jump(minutes=1)
    assert part_states(run) == ["arrived"] * 3
    assert_invariants()
    engine.jump(minutes=5)
    assert_completed(run)


def test_a_join_that_can_no_longer_be_satisfied_fails() -> None:
    definition = workflow(
        "partial",
        fan_out("f", a="a", b="b"),
        edit("a", next="j"),
        edit("b", next=None),
        fan_in("j", wait_for=2),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_failed(run, "join_unsatisfied", "j")
        assert "1 arrived, 1 ended elsewhere, 0 failed" in run.error["message"]


def test_a_join_that_can_no_longer_be_satisfied_may_be_mended() -> None:
    definition = workflow(
        "partial",
        fan_out("f", a="a", b="b"),
        edit("a", next="j"),
        edit("b", next=None),
        fan_in("j", wait_for="group.arrived > 5", on_error="mend"),
        end(),
        edit("mend", code="${error.code}", at="${error.node}", next="end"),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run)
        assert (run.output["code"], run.output["at"]) == ("join_unsatisfied", "j")


@pytest.mark.parametrize("wait_for", ["group.arrived", "missing > 1", "group.typo > 1"])
def test_a_condition_that_fails_fails_the_join(engine: Harness, wait_for: str) -> None:
    engine.publish(timed(wait_for=wait_for))
    run = engine.run("partial")
    assert_failed(run, "expression_error", "j")
    assert seconds_of(run) == 1


def test_a_branch_that_splits_again_has_arrived_when_all_its_threads_have() -> None:
    definition = workflow(
        "partial",
        fan_out("f", a="a", inner="inner", never="never"),
        delay("a", "PT5S", next="a2"),
        edit("a2", output=["a"], next="j"),
        fan_out("inner", c="c", d="d"),
        edit("c", output=["c"], next="j"),
        delay("d", "PT3S", next="d2"),
        edit("d2", output=["d"], next="j"),
        wait_event("never", "never", next="j"),
        fan_in("j", wait_for="any"),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"output": ["c", "d"]})
        assert seconds_of(run) == 3
        assert visited(run).count("j") == 1


def test_partial_joins_in_the_items_of_a_map() -> None:
    definition = workflow(
        "partial",
        each("m", "split", next="end", parallel=2),
        fan_out("split", fast="fast", slow="slow"),
        edit("fast", output="${item}", next="j"),
        delay("slow", "PT1H", next="j"),
        fan_in("j", wait_for="any", next="both"),
        edit("both", output="${output * 10}", next=None),
        end(output={"output": "${output}"}),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3]}):
        assert_completed(run, {"output": [10, 20, 30]})
        assert seconds_of(run) == 0


def test_a_partial_join_in_every_round_of_a_loop() -> None:
    definition = workflow(
        "partial",
        {"id": "loop", "type": "loop", "body": "split", "while": "loop.index < 3",
         "max_iterations": 5, "next": "end"},
        fan_out("split", fast="fast", slow="slow"),
        edit("fast", output=["${loop.index}"], next="j"),
        delay("slow", "PT1M", next="j"),
        fan_in("j", wait_for="any", rest="absorb", next=None),
        end(),
    )  # fmt: skip
    for run in runs_in_every_order(definition):
        assert_completed(run, {"output": [2]})
        assert part_states(run) == ["arrived", "cancelled"] * 3


def test_a_run_can_be_cancelled_with_branches_left_behind(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            fan_out("f", a="a", b="b"),
            edit("a", next="j"),
            wait_event("b", "never", next="j"),
            fan_in("j", wait_for="any", rest="absorb", next="later"),
            delay("later", "P1D"),
            end(),
        )
    )
    run = engine.start("partial")
    engine.drain()
    assert_waiting_for(run, "b", "later")
    services.cancel(run.pk)
    assert_at_rest(run)


def test_the_short_form_can_be_joined_in_part(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            edit("first", next=["a", "b"]),
            edit("a", output=["a"], next="j"),
            delay("b", "PT1H", next="j"),
            fan_in("j", wait_for=1),
            end(),
        )
    )
    assert_completed(engine.run("partial"), {"output": ["a"]})
