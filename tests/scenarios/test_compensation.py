"""Compensation end to end: sagas in every shape that a run can have, in many orders."""

from typing import Any

import pytest

from tests.support.activities import Killed, calls, ledger
from tests.support.assertions import assert_completed, assert_failed, visited
from tests.support.builder import (
    activity,
    batch,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    workflow,
)
from tests.support.families import child_of
from tests.support.orders import FIFTY, ORDERS, Order, in_process, runs_in_every_order
from tests.support.undoing import (
    assert_all_undone,
    assert_newest_first,
    compensate,
    do,
    forget,
    undone,
)
from workflows import services
from workflows.models import NodeExecution, Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

REFUSED = activity("refuse", "test.refuse", on_error="undo", next="end")


in_orders = pytest.mark.parametrize(
    "orders", [ORDERS, pytest.param(FIFTY, marks=pytest.mark.long)], ids=["few", "fifty"]
)


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    forget()


def saga(*nodes: dict[str, Any], **undo: Any) -> dict[str, Any]:
    """Do `nodes`, then fail, undo everything, and end."""
    return workflow("saga", *nodes, REFUSED, compensate(**{"next": "end", **undo}), end())


def test_finished_steps_are_undone_in_reverse_order(engine: Harness) -> None:
    """Contract: runs the compensations of finished activities in reverse order of completion."""
    engine.publish(saga(do("a"), do("b"), do("c"), result="undone"))
    run = engine.run("saga")
    assert_completed(run)
    assert ledger == ["do a", "do b", "do c", "undo c", "undo b", "undo a"]
    assert_all_undone(run)
    assert visited(run) == ["start", "a", "b", "c", *["undo"] * 4, "end"]
    told = [
        (one["node"], one["seq"], one["activity"], one["output"]) for one in run.output["undone"]
    ]
    assert told == [
        ("c", 3, "test.undo", "no c"),
        ("b", 2, "test.undo", "no b"),
        ("a", 1, "test.undo", "no a"),
    ]
    assert run.output["error"]["code"] == "refused"


def test_the_history_tells_what_was_undone(engine: Harness) -> None:
    engine.publish(saga(do("a")))
    run = engine.run("saga")
    step = NodeExecution.objects.get(run=run, compensates__isnull=False)
    thread = step.thread_id
    named = {"node": "a", "thread": thread, "seq": 1, "activity": "test.undo"}
    assert step.input == {**named, "input": {"what": "a"}}
    assert step.output == {"output": "no a"}


def test_what_undoes_a_step_sees_the_context_of_then(engine: Harness) -> None:
    """The template is filled in when the step has finished, whatever becomes of the context."""
    first = do("a", undo={"what": "${[input.what, output, n, kept, run.workflow]}"}, result="kept")
    engine.publish(saga(edit("set", n=1), first, edit("later", n=2, kept=None)))
    run = engine.run("saga")
    assert_completed(run)
    assert ledger[-1] == "undo ['a', 'a!', 1, 'a!', 'saga']"


def test_without_an_input_it_is_given_what_the_step_was_given_and_has_answered(
    engine: Harness,
) -> None:
    step = activity("a", "test.double", input={"number": 4}, compensate={"activity": "test.echoes"})
    engine.publish(saga(step, result="undone"))
    run = engine.run("saga")
    assert run.output["undone"][0]["output"] == {"input": {"number": 4}, "output": 8}


def test_a_step_that_failed_is_not_undone(engine: Harness) -> None:
    broken = {**REFUSED, "compensate": {"activity": "test.undo", "input": {"what": "x"}}}
    engine.publish(workflow("saga", do("a"), broken, compensate(next="end"), end()))
    run = engine.run("saga")
    assert undone(run) == ["a"]


def test_with_nothing_done_it_goes_on(engine: Harness) -> None:
    engine.publish(saga(edit("x", x=1), result="undone"))
    assert engine.run("saga").output["undone"] == []


@in_process
@in_orders
def test_in_branches(orders: tuple[Order, ...]) -> None:
    """Contract: runs the compensations of finished activities in reverse order of completion."""
    steps = [do("a1", next="a2"), do("a2", next="join"), do("b1", next="b2"), do("b2", next="join")]
    split = fan_out("split", a="a1", b="b1")
    definition = saga(split, *steps, fan_in("join"))
    for run in runs_in_every_order(definition, {}, orders):
        assert_completed(run)
        assert len(undone(run)) == 4
        assert_all_undone(run)
        forget()


@in_process
@in_orders
def test_in_branches_of_which_one_fails(orders: tuple[Order, ...]) -> None:
    """What the others have finished by then is undone, and nothing else."""
    split = {**fan_out("split", a="a1", b="refuse"), "on_error": "undo"}
    failing = {**REFUSED, "next": "join"}
    del failing["on_error"]
    definition = workflow(
        "saga", do("z"), split, do("a1", next="a2"), do("a2", next="join"), failing,
        fan_in("join", next="end"), compensate(next="end"), end(),
    )  # fmt: skip
    for run in runs_in_every_order(definition, {}, orders):
        assert_completed(run)
        assert undone(run)[-1] == "z"
        assert_all_undone(run)
        forget()


@in_process
@in_orders
def test_in_a_map_and_in_slices(orders: tuple[Order, ...]) -> None:
    what = {"input": {"what": "${item}"}}
    slices = {"input": {"what": "b ${batch.index}"}}
    steps = [{**do("a", next=None), **what}, {**do("c", next=None), **slices}]
    definition = saga(
        each("m", "a", parallel=2, next="b"), batch("b", "c", size=2, next="refuse"), *steps
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4, 5]}, orders):
        assert_completed(run)
        assert sorted(undone(run)) == ["a"] * 5 + ["c"] * 3
        assert_all_undone(run)
        forget()


@in_process
def test_in_every_round_of_a_loop() -> None:
    loop = {"id": "loop", "type": "loop", "body": "a", "while": "loop.index < 3"}
    body = {**do("a", next=None), "input": {"what": "${loop.index}"}}
    definition = saga({**loop, "max_iterations": 9, "next": "refuse"}, body)
    for run in runs_in_every_order(definition, {}):
        assert_completed(run)
        assert ledger == ["do 0", "do 1", "do 2", "undo 2", "undo 1", "undo 0"]
        assert_all_undone(run)
        forget()


@in_process
def test_inside_of_a_loop() -> None:
    """In each round what that round has done; the loop goes on."""
    loop = {"id": "loop", "type": "loop", "body": "a", "while": "loop.index < 2"}
    body = [{**do("a"), "input": {"what": "${loop.index}"}}, compensate(next=None)]
    definition = workflow(
        "saga", {**loop, "max_iterations": 9, "next": "end"}, *body, end(output={"n": 1})
    )
    for run in runs_in_every_order(definition, {}):
        assert_completed(run, {"n": 1})
        assert ledger == ["do 0", "undo 0", "do 1", "undo 1"]
        forget()


def test_a_child_undoes_its_own(engine: Harness) -> None:
    """A child has a history of its own, and undoes what is in it."""
    engine.publish(saga(do("a"), do("b")))
    refused = {**REFUSED, "on_error": "again"}
    engine.publish(
        workflow(
            "main", do("m"), gosub("call", "saga"), refused,
            compensate("again", next="end"), end(),
        )
    )  # fmt: skip
    run = engine.run("main")
    assert_completed(run)
    assert undone(child_of(run)) == ["b", "a"]
    assert undone(run) == ["m"]
    assert ledger == ["do m", "do a", "do b", "undo b", "undo a", "undo m"]


def test_only_the_steps_of_some_nodes(engine: Harness) -> None:
    engine.publish(saga(do("a"), do("b"), do("c"), nodes=["a", "c"]))
    assert undone(engine.run("saga")) == ["c", "a"]


def test_what_was_undone_is_not_undone_again(engine: Harness) -> None:
    """A second `compensate` undoes what the first has left, and what was done since."""
    steps = [do("a"), do("b"), compensate("one", nodes=["b"]), do("c"), compensate("two")]
    engine.publish(workflow("saga", *steps, compensate("three", result="none"), end()))
    run = engine.run("saga")
    assert undone(run) == ["b", "c", "a"]
    assert run.output["none"] == []


def test_each_compensation_has_its_own_attempts(engine: Harness) -> None:
    retry = {"attempts": 3, "backoff": "PT10S"}
    hard = [do(name, undo={"what": name, "fail": 3}) for name in "ab"]
    engine.publish(saga(*hard, retry=retry))
    run = engine.run("saga")
    assert_completed(run)
    assert_all_undone(run)
    steps = NodeExecution.objects.filter(run=run, node="undo").order_by("id")
    tries = [(step.attempt, step.status) for step in steps]
    assert tries == [(1, "failed"), (2, "failed"), (3, "completed")] * 2 + [(1, "completed")]


def test_a_compensation_that_fails_goes_to_on_error(engine: Harness) -> None:
    """The error names the step; what is undone stays so; the rest can be undone later."""
    steps = [do("a"), do("b", undo={"what": "b", "fail": 2}), do("c")]
    fix = [compensate("again", retry={"attempts": 2, "backoff": "PT1S"}), end()]
    engine.publish(workflow("saga", *steps, compensate(on_error="again", next="end"), *fix))
    run = engine.run("saga")
    assert_completed(run)
    error = run.output["error"]
    assert (error["code"], error["node"], error["attempt"]) == ("still_there", "undo", 1)
    named = error["details"]["compensating"]
    assert (named["node"], named["seq"], named["activity"]) == ("b", 2, "test.undo")
    assert undone(run) == ["c", "b", "a"]
    assert_all_undone(run)


def test_a_compensation_that_fails_fails_the_run(engine: Harness) -> None:
    hopeless = do("b", undo={"what": "b", "fail": 99})
    engine.publish(saga(do("a"), hopeless, do("c"), retry={"attempts": 2}))
    run = engine.run("saga")
    assert_failed(run, "still_there", "undo")
    assert run.error["details"]["compensating"]["node"] == "b"
    assert undone(run) == ["c"]


def test_an_input_that_cannot_be_made_is_found_when_it_is_undone(engine: Harness) -> None:
    engine.publish(saga(do("a"), do("b", undo={"what": "${output.x}"}), retry={"attempts": 5}))
    run = engine.run("saga")
    assert [row.status for row in NodeExecution.objects.filter(run=run, node="b")] == ["completed"]
    assert_failed(run, "expression_error", "undo")
    assert run.error["details"]["compensating"]["node"] == "b"
    assert run.error["attempt"] == 1


@in_orders
def test_side_by_side_they_undo_everything_once_and_in_order(orders: tuple[Order, ...]) -> None:
    """Two threads that compensate take turns: no step is undone before what is newer."""
    broken = [{**REFUSED, "id": name, "next": None} for name in ("x", "y")]
    steps = [do("a", next="x"), broken[0], do("b", next="y"), broken[1]]
    retry = {"attempts": 2, "backoff": "PT3S"}
    steps += [compensate(next="join", retry=retry), fan_in("join"), end()]
    hard = do("z", undo={"what": "z", "fail": 2})
    definition = workflow("saga", hard, fan_out("split", x="a", y="b"), *steps)
    for run in runs_in_every_order(definition, {}, orders):
        assert_completed(run)
        assert sorted(undone(run)) == ["a", "b", "z"]
        assert_newest_first(run)
        forget()


@in_orders
def test_side_by_side_in_a_window(orders: tuple[Order, ...]) -> None:
    hard = do("a", next="x", undo={"what": "a", "fail": 2})
    broken = {**REFUSED, "id": "x", "next": None}
    undo = compensate(next=None, retry={"attempts": 2, "backoff": "PT3S"})
    definition = workflow("saga", each("m", "a", parallel=2, next="end"), hard, broken, undo, end())
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4]}, orders):
        assert_completed(run)
        assert undone(run) == ["a"] * 4
        assert_newest_first(run)
        forget()


def test_one_that_was_given_back_to_its_group_is_let_out_for_who_waits(engine: Harness) -> None:
    """Else it could wait for a place that is held by who waits for it."""
    steps = [{**do("a", next="undo"), "input": {"what": "${item}"}}]
    steps[0]["compensate"]["input"] = {"what": "${item}", "fail": "${item}"}
    undo = compensate(next=None, retry={"attempts": 2, "backoff": "PT3S"})
    engine.publish(workflow("saga", each("m", "a", parallel=2, next="end"), *steps, undo, end()))
    run = engine.start("saga", {"items": [2, 2]})
    engine.drain()
    holder = next(each for each in Thread.objects.filter(run=run) if each.frames)
    assert holder.state == "ready"  # waits for its second attempt
    Thread.objects.filter(pk=holder.pk).update(state="queued", lease_until=None)
    engine.jump(seconds=1)
    assert Thread.objects.get(pk=holder.pk).state != "queued"
    engine.jump(minutes=1)
    assert_completed(run)
    assert undone(run) == ["a", "a"]


def test_a_cancel_ends_it_between_two(engine: Harness) -> None:
    slow = do("a", undo={"what": "a", "fail": 2})
    engine.publish(saga(slow, do("b"), retry={"attempts": 2, "backoff": "PT1H"}))
    run = engine.start("saga")
    engine.drain()
    services.cancel(run.pk)
    engine.jump(hours=2)
    assert engine.result(run).status == "cancelled"
    assert undone(run) == ["b"]
    assert ledger[-1] == "undo b"


def test_a_worker_that_dies_undoes_the_same_step_again(engine: Harness) -> None:
    """Contract: side effects happen at least once with a stable idempotency key."""
    die = {"activity": "test.die", "input": {}}
    hard = activity("b", "test.double", input={"number": 1}, compensate=die)
    engine.publish(saga(do("a"), hard, do("c")))
    run = engine.start("saga")
    with pytest.raises(Killed):
        engine.drain()
    assert undone(run) == ["c"]
    engine.jump(minutes=1)
    assert_completed(run)
    assert undone(run) == ["c", "b", "a"]
    key = f"{run.pk}:{Thread.objects.get(run=run).pk}:2:compensate"
    assert calls[key] == 2
    steps = NodeExecution.objects.filter(run=run, node="undo").order_by("id")
    assert [step.status for step in steps] == ["completed", "lost", *["completed"] * 3]


def test_with_activities_that_commit_with_their_step(engine: Harness) -> None:
    undo = {"activity": "test.write", "input": {"name": "undone-${input.name}"}}
    steps = [
        activity(name, "test.write", input={"name": name}, compensate=undo) for name in ("a", "b")
    ]
    engine.publish(saga(*steps, result="undone"))
    run = engine.run("saga")
    assert [one["output"] for one in run.output["undone"]] == ["undone-b", "undone-a"]


def test_on_another_queue(engine: Harness) -> None:
    engine.publish(saga(do("a"), do("b"), queue="workflows"))
    assert_all_undone(engine.run("saga"))
