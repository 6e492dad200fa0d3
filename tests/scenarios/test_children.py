"""Child runs: what they start with, what they leave, and who waits for whom."""

import pytest
from django.contrib.auth.models import User

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_waiting_for,
    visited,
)
from tests.support.builder import (
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    wait_event,
    workflow,
)
from tests.support.families import FACTORIAL, call, child_of, family
from tests.support.orders import assert_output_in_every_order
from workflows import services
from workflows.models import NodeExecution, Run, Suspension, Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_a_child_has_a_run_of_its_own(any_order: Harness) -> None:
    """Contract: `gosub` starts a run of another workflow (`workflow`, optional `version`), in its own run with its own context, counters, history and error, linked to the parent thread."""  # noqa: E501
    twice = workflow("double", edit("twice", n="${n * 2}"), end())
    run = call(twice, any_order, {"n": 4, "k": "v"})
    assert_completed(run, {"n": 8, "k": "v"})
    child = child_of(run)
    assert_completed(child, {"n": 8, "k": "v"})
    assert (child.workflow_name, child.depth, child.root_id) == ("double", 1, run.pk)
    assert child.asked_by is not None
    assert (child.asked_by.run_id, child.asked_by.node) == (run.pk, "call")
    assert (visited(run), visited(child)) == (["start", "call", "end"], ["start", "twice", "end"])
    for each_run in (run, child):
        assert_each_step_once(each_run)
        assert_at_rest(each_run)
        assert Thread.objects.get(run=each_run).seq == 3


def test_the_history_says_which_run_it_was(engine: Harness) -> None:
    run = call(workflow("sub", end(output={"x": 1})), engine, {})
    step = NodeExecution.objects.get(run=run, node="call")
    assert step.input == {"run": str(child_of(run).pk), "workflow": "sub", "version": 1}
    assert step.output == {"x": 1}


def test_the_parent_sleeps_while_the_child_works(engine: Harness) -> None:
    """Contract: The parent thread sleeps; no worker slot is held, however deep."""
    engine.publish(workflow("inner", wait_event("ask", "go"), end(output={"in": True})))
    engine.publish(workflow("middle", gosub("call", "inner"), end()))
    engine.publish(workflow("main", gosub("call", "middle"), end()))
    run = engine.start("main")
    engine.drain()
    assert [each.status for each in family(run)] == ["suspended"] * 3
    assert set(Thread.objects.values_list("state", flat=True)) == {"suspended"}
    assert_waiting_for(run, "call")
    engine.send("go")
    assert [each.status for each in family(run)] == ["completed"] * 3
    assert_completed(run, {"in": True})


def test_the_parent_goes_on_in_the_transaction_that_ends_the_child(engine: Harness) -> None:
    """Contract: The parent goes on exactly once, when the child run is final, in the transaction that ends the child."""  # noqa: E501
    engine.publish(workflow("sub", wait_event("ask", "go"), end()))
    engine.publish(workflow("main", gosub("call", "sub"), edit("after", x=1), end()))
    run = engine.start("main")
    engine.drain()
    services.send_event("go")
    while child_of(run).ended_at is None:
        assert Thread.objects.get(run=run).state == "suspended"
        engine.double_messages()
        assert engine.pump.step()
    # Every message is lost: what is known is in the rows, and it is known already.
    engine.lose_messages()
    assert Thread.objects.get(run=run).state == "ready"
    assert engine.result(run).status == "running"
    assert Suspension.objects.get(run=run).resolved_by == "child"
    engine.jump(seconds=20)
    assert_completed(run)
    assert_each_step_once(run)


def test_without_input_the_child_gets_a_copy(engine: Harness) -> None:
    """Contract: `input`: left out, the child gets a copy of the caller's context; given, a new context of only the mapped entries, required ones failing when absent."""  # noqa: E501
    seen = workflow("sub", edit("mark", order__seen=True), end(output={"kept": "${order}"}))
    run = call(seen, engine, {"order": {"id": 1}, "k": 1})
    assert child_of(run).input == {"order": {"id": 1}, "k": 1}
    assert_completed(run, {"order": {"id": 1}, "k": 1, "kept": {"id": 1, "seen": True}})


def test_with_input_the_child_gets_what_is_mapped(engine: Harness) -> None:
    mapped = {"order.number": "${order.id}", "note": "${order.note}"}
    fields = {"input": mapped, "optional": ["note"], "output": {}}
    run = call(workflow("sub", end()), engine, {"order": {"id": 1}, "k": 1}, **fields)
    assert child_of(run).input == {"order": {"number": 1}}
    assert_completed(run, {"order": {"id": 1}, "k": 1})


def test_without_output_the_child_s_is_merged_over_the_context(engine: Harness) -> None:
    """Contract: `output`: left out, the child's output is merged over the caller's context (objects by key, the rest overwritten); given, only mapped values are copied, absent ones skipped."""  # noqa: E501
    child = workflow("sub", end(output={"order": {"paid": True, "items": [3]}, "k": "new"}))
    run = call(child, engine, {"order": {"id": 1, "items": [1, 2]}, "k": "old", "l": 0})
    expected = {"order": {"id": 1, "items": [3], "paid": True}, "k": "new", "l": 0}
    assert_completed(run, expected)


def test_with_output_only_what_is_mapped_is_copied(engine: Harness) -> None:
    child = workflow("sub", end(output={"total": 7, "k": "new"}))
    mapped = {"sum": "${child.output.total + n}", "gone": "${child.output.gone}"}
    run = call(child, engine, {"k": "old", "n": 1}, output=mapped)
    assert_completed(run, {"k": "old", "n": 1, "sum": 8})


def test_an_end_inside_a_child_never_sets_the_parent_s_output(any_order: Harness) -> None:
    """Contract: An `end` inside a child run never sets the parent's output."""
    any_order.publish(workflow("sub", end(output={"secret": 1}, result="allowed")))
    any_order.publish(workflow("main", gosub("call", "sub", output={}, next=None)))
    assert_completed(any_order.run("main", {"k": 1}), {"k": 1})


def test_detach_does_not_wait(any_order: Harness) -> None:
    """Contract: `mode: detach` does not wait."""
    child = workflow("sub", wait_event("ask", "go"), end())
    fields = {"mode": "detach", "output": {"job": "${child.run}"}, "result": "of"}
    run = call(child, any_order, {"k": 1}, **fields)
    sub = child_of(run)
    status = {"run": str(sub.pk), "workflow": "sub", "version": 1, "status": "pending"}
    expected = {"k": 1, "job": str(sub.pk), "of": {**status, "result": None, "reason": ""}}
    assert_completed(run, expected)
    assert_waiting_for(sub, "ask")
    any_order.send("go")
    assert_completed(sub)
    assert_completed(run, expected)
    assert_each_step_once(run)


def test_a_workflow_may_call_itself(any_order: Harness) -> None:
    """Contract: A workflow may call itself; `limits.depth` bounds it."""
    any_order.publish(FACTORIAL)
    run = any_order.run("factorial", {"n": 10})
    assert_completed(run, {"value": 3628800})
    assert [each.depth for each in family(run)] == list(range(10))


def test_splits_batches_and_waits_work_inside_children(any_order: Harness) -> None:
    """Contract: Splits, batches and waits work inside children."""
    child = workflow(
        "sub",
        fan_out("f", a="map", b="batch", c="ask"),
        each("map", "one", next="j"),
        edit("one", output="${item * 2}", next=None),
        batch("batch", "slice", size=2, parallel=1, next="j"),
        delay("slice", "PT1M", next="sum"),
        edit("sum", output="${[sum(items)]}", next=None),
        wait_event("ask", "go", key="who", next="told"),
        edit("told", output="${[event.data]}", next="j"),
        fan_in("j"),
        end(output={"output": "${output}"}),
    )
    any_order.publish(child)
    any_order.publish(workflow("main", gosub("call", "sub"), end(output={"o": "${output}"})))
    run = any_order.start("main", {"items": [1, 2, 3], "who": "me"})
    any_order.jump(seconds=10)
    any_order.send("go", key="me", data="hello")
    any_order.jump(minutes=5)
    assert_completed(run, {"o": [2, 4, 6, 3, 3, "hello"]})


def test_children_inside_splits_maps_and_batches_in_any_order() -> None:
    twice = workflow("twice", delay("nap", "PT1S"), end(output={"n": "${n * 2}"}))
    of = {"n": "${n}"}
    with Harness.open() as engine:
        engine.publish(twice)
    main = workflow(
        "main",
        fan_out("f", a="map", b="one", c="batch"),
        each("map", "m", parallel=2, next="j", **{"as": "n"}),
        gosub("m", "twice", input=of, output={"output": "${child.output.n}"}, next=None),
        gosub("one", "twice", input={"n": 50}, output={"output": ["${child.output.n}"]}, next="j"),
        batch("batch", "b", size=2, next="j"),
        gosub(
            "b",
            "twice",
            input={"n": "${sum(items)}"},
            output={"output": ["${child.output.n}"]},
            next=None,
        ),
        fan_in("j"),
        end(output={"output": "${output}"}),
    )
    data = {"items": [1, 2, 3]}
    assert_output_in_every_order(main, data, {"output": [2, 4, 6, 100, 6, 6]})


def test_children_in_a_loop(any_order: Harness) -> None:
    any_order.publish(workflow("plus", end(output={"n": "${n + 1}"})))
    loop = {"id": "loop", "type": "loop", "while": "n < 5", "max_iterations": 9, "body": "add"}
    nodes = ({**loop, "next": "end"}, gosub("add", "plus", next="loop"), end(output={"n": "${n}"}))
    any_order.publish(workflow("main", *nodes))
    run = any_order.run("main", {"n": 0})
    assert_completed(run, {"n": 5})
    assert Run.objects.filter(parent=run).count() == 5


def test_a_blocked_child_has_answered(engine: Harness) -> None:
    child = workflow("sub", end(output={"x": 1}, result="blocked", reason="too dear"))
    run = call(child, engine, {}, result="verdict", output={"why": "${child.reason}"})
    sub = child_of(run)
    assert_completed(sub, {"x": 1}, result="blocked")
    verdict = {"run": str(sub.pk), "workflow": "sub", "version": 1, "status": "completed"}
    expected = {**verdict, "result": "blocked", "reason": "too dear"}
    assert_completed(run, {"why": "too dear", "verdict": expected})


def test_expressions_see_depth_and_parent(engine: Harness) -> None:
    seen = {"depth": "${run.depth}", "parent": "${run.parent}"}
    engine.publish(workflow("sub", end(output=seen)))
    engine.publish(
        workflow(
            "main",
            gosub("call", "sub", output={"sub": "${child.output}"}),
            end(output={**seen, "sub": "${sub}"}),
        )
    )
    run = engine.run("main")
    inner = {"depth": 1, "parent": str(run.pk)}
    assert_completed(run, {"depth": 0, "parent": None, "sub": inner})


def test_children_are_started_for_whoever_started_the_first_run(engine: Harness) -> None:
    ann = User.objects.create(username="ann")
    engine.publish(workflow("sub", end()))
    engine.publish(workflow("main", gosub("call", "sub"), end()))
    run = engine.run("main", by=ann)
    assert child_of(run).started_by == ann
