"""A `batch` or `map` that does not wait for all of its parts, and what becomes of the rest."""

from collections import Counter
from typing import Any

import pytest

from tests.support.activities import calls
from tests.support.assertions import (
    assert_completed,
    assert_failed,
    live_parts,
    part_states,
    seconds_of,
    visited,
)
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    switch,
    wait_event,
    workflow,
)
from tests.support.failing import refuse
from tests.support.invariants import assert_invariants
from tests.support.orders import (
    MANY,
    assert_output_in_every_order,
    in_process,
    runs_in_every_order,
)
from workflows import services
from workflows.models import Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ONLY_OUTPUT = {"output": "${output}"}


def timed(**fields: Any) -> dict[str, Any]:
    """A map whose items take as many seconds as they say."""
    return workflow(
        "partial",
        each("m", "pause", next="end", **fields),
        delay("pause", "${item}", next="keep"),
        edit("keep", output="${item}", next=None),
        end(output=ONLY_OUTPUT),
    )


@pytest.mark.long
def test_a_map_goes_on_with_the_first_results() -> None:
    """Contract: `wait_for`: a number

    What was not waited for leaves null, as a tolerated failure does.
    """
    for wait_for, output, seconds in (
        ("any", [None, 1, None, None], 1),
        (1, [None, 1, None, None], 1),
        (2, [None, 1, 2, None], 2),
        ("group.live < 2", [3, 1, 2, None], 3),
        ("group.arrived * 4 >= group.expected * least", [3, 1, 2, None], 3),
        ("all", [3, 1, 2, 9], 9),
    ):
        data = {"items": [3, 1, 2, 9], "least": 3}
        for run in runs_in_every_order(timed(wait_for=wait_for), data):
            assert_completed(run, {"output": output})
            assert seconds_of(run) == seconds
            assert visited(run).count("m") == 1


@pytest.mark.long
def test_the_first_n_items_are_exactly_n() -> None:
    definition = workflow(
        "partial",
        each("m", "part", next="end", wait_for=2),
        edit("part", output="${item}", next=None),
        end(output=ONLY_OUTPUT),
    )
    for run in runs_in_every_order(definition, {"items": [0, 1, 2, 3, 4]}, MANY):
        states = part_states(run)
        assert Counter(states) == {"ended": 2, "cancelled": 3}
        kept = [idx if state == "ended" else None for idx, state in enumerate(states)]
        assert_completed(run, {"output": kept})


def test_a_batch_merges_the_slices_that_are_done_in_their_order() -> None:
    definition = workflow(
        "partial",
        batch("b", "pause", size=2, next="end", wait_for=2),
        delay("pause", "${items[0]}", next="keep"),
        edit("keep", output="${items}", next=None),
        end(),
    )
    data = {"items": [9, 0, 2, 0, 1]}
    for run in runs_in_every_order(definition, data):
        assert_completed(run, {**data, "output": [2, 0, 1]})
        assert part_states(run) == ["cancelled", "ended", "ended"]


@in_process
def test_the_rest_of_a_map_is_cancelled_with_what_its_window_has_not_let_in() -> None:
    """Contract: `rest: cancel` (default when partial)"""
    calls.clear()
    definition = workflow(
        "partial",
        each("m", "which", next="after", parallel=2, wait_for=2),
        switch("which", "now", never="item > 1"),
        wait_event("never", "never", next="now"),
        activity("now", "test.count", result="output", next=None),
        delay("after", "PT1H"),
        end(output={}),
    )
    for run in runs_in_every_order(definition, {"items": [1, 5, 1, 1, 1, 1]}):
        assert_completed(run)
        assert Counter(part_states(run)) == {"ended": 2, "cancelled": 4}
        assert sum(calls.values()) == 2
        calls.clear()


@pytest.mark.long
def test_the_rest_of_a_map_can_be_absorbed() -> None:
    """Contract: `rest: absorb`"""
    definition = workflow(
        "partial",
        edit("before", n=1),
        each("m", "see", next="after", wait_for="any", rest="absorb"),
        edit("see", seen="${[n, item, index, size(items)]}", next="work"),
        activity("work", "test.echo", input={"value": "${seen}"}, result="output", next=None),
        edit("after", n=2, items=[]),
        delay("later", "PT1M"),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": ["a", "b", "c", "d"]}, MANY):
        assert part_states(run) == ["ended"] * 4
        assert run.output["n"] == 2
        assert sum(value is not None for value in run.output["output"]) == 1
        steps = run.history.filter(node="work").order_by("thread_id")
        seen = [step.output["output"] for step in steps]
        assert seen == [[1, item, idx, 4] for idx, item in enumerate("abcd")]


@pytest.mark.long
def test_of_absorbed_parts_as_many_begin_as_the_window_lets_live_at_once() -> None:
    definition = workflow(
        "partial",
        each("m", "part", next="later", parallel=2, wait_for="any", rest="absorb"),
        activity("part", "test.echo", input={"value": "${item}"}, result="output", next=None),
        delay("later", "PT1M"),
        end(output={}),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4, 5, 6]}, MANY):
        assert part_states(run) == ["ended"] * 3 + ["cancelled"] * 3


def test_a_window_slides_when_sleepers_end_and_nobody_sweeps() -> None:
    """A place that a woken part leaves is filled at once, though its end is looked at by itself."""
    definition = workflow(
        "partial",
        each("m", "pause", next="end", parallel=2, wait_for=6),
        delay("pause", "PT1S", next="keep"),
        edit("keep", output="${item}", next=None),
        end(output=ONLY_OUTPUT),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4, 5, 6]}):
        assert_completed(run, {"output": [1, 2, 3, 4, 5, 6]})
        assert seconds_of(run) == 3


def test_a_window_slides_when_groups_inside_of_the_parts_are_over() -> None:
    definition = workflow(
        "partial",
        each("m", "split", next="end", parallel=1, wait_for=3),
        fan_out("split", a="a", b="b"),
        delay("a", "PT1S", next="a2"),
        edit("a2", output=["a"], next="j"),
        edit("b", output=["b"], next="j"),
        fan_in("j", next=None),
        end(output=ONLY_OUTPUT),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3]}):
        assert_completed(run, {"output": [["a", "b"]] * 3})
        assert seconds_of(run) == 3


def test_the_window_holds_while_it_is_waited_for_some(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            each("m", "wait", next="end", parallel=3, wait_for=8),
            wait_event("wait", "go", next="keep"),
            edit("keep", output="${item}", next=None),
            end(output={}),
        )
    )
    run = engine.start("partial", {"items": list(range(10))})
    engine.drain()
    for _ in range(7):
        assert live_parts(run) == 3
        assert_invariants()
        engine.send("go")
    engine.send("go")
    assert_completed(run)
    assert Counter(part_states(run)) == {"ended": 8, "cancelled": 2}


def test_a_number_that_no_list_can_reach_fails_when_nothing_is_left() -> None:
    definition = timed(wait_for=3)
    for run in runs_in_every_order(definition, {"items": [1, 2]}):
        assert_failed(run, "join_unsatisfied", "m")
        assert "2 done, 0 failed" in run.error["message"]


def test_a_condition_can_put_up_with_a_short_list() -> None:
    definition = timed(wait_for="group.arrived == 3 || group.live == 0")
    assert_output_in_every_order(definition, {"items": [1, 2]}, {"output": [1, 2]})


def test_an_empty_list_is_waited_for_by_nobody() -> None:
    assert_output_in_every_order(timed(wait_for=3), {"items": []}, {"output": []})


def test_an_unsatisfied_map_goes_to_its_on_error() -> None:
    definition = workflow(
        "partial",
        each("m", "part", next="end", wait_for=2, tolerate={"percent": 100}, on_error="mend"),
        switch("part", "good", bad="item > 1"),
        edit("good", output="${item}", next=None),
        refuse("bad", next=None),
        edit("mend", code="${error.code}", failed="${size(error.details.errors)}"),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3]}):
        assert_completed(run)
        assert (run.output["code"], run.output["failed"]) == ("join_unsatisfied", 2)


def test_tolerated_failures_do_not_count_as_done() -> None:
    definition = workflow(
        "partial",
        each("m", "part", next="end", wait_for=2, tolerate={"count": 1}),
        switch("part", "good", bad="item == 0"),
        delay("good", "${item}", next="keep"),
        edit("keep", output="${item}", next=None),
        refuse("bad", next=None),
        end(output={"output": "${output}", "failed": "${errors.map(e, e.index)}"}),
    )
    for run in runs_in_every_order(definition, {"items": [0, 3, 1, 2]}):
        assert_completed(run, {"output": [None, None, 1, 2], "failed": [0]})


def test_absorbed_failures_change_nothing() -> None:
    definition = workflow(
        "partial",
        each("m", "which", next="later", wait_for="any", rest="absorb"),
        switch("which", "pause", fast="item == 1"),
        edit("fast", output="fast", next=None),
        delay("pause", "PT1S", next="bad"),
        refuse("bad", next=None),
        delay("later", "PT1M"),
        end(output=ONLY_OUTPUT),
    )
    for run in runs_in_every_order(definition, {"items": [2, 1]}):
        assert_completed(run, {"output": [None, "fast"]})
        assert part_states(run) == ["failed", "ended"]


def test_absorbed_sleepers_keep_one_context_for_all(engine: Harness) -> None:
    engine.publish(
        workflow(
            "partial",
            each("m", "which", next="rest", wait_for="any", rest="absorb"),
            switch("which", "asleep", fast="item == 0"),
            edit("fast", output="fast", next=None),
            wait_event("asleep", "go", key="item", next="work"),
            activity("work", "test.echo", input={"value": "${items[index]}"}, next=None),
            wait_event("rest", "rest"),
            end(output={}),
        )
    )
    run = engine.start("partial", {"items": list(range(40))})
    engine.drain()
    sleeping = Thread.objects.filter(run=run, group__isnull=False, state="suspended")
    assert set(sleeping.values_list("node", flat=True)) == {"asleep"}
    assert ThreadGroup.objects.get(run=run).base == {"items": list(range(40))}
    engine.send("go", key="17")
    assert run.history.get(node="work").output["output"] == 17
    services.cancel(run.pk)
    assert_invariants()


@in_process
def test_partial_maps_in_a_partial_map() -> None:
    definition = workflow(
        "partial",
        each("outer", "inner", items="rows", next="end", wait_for=2, **{"as": "row"}),
        each("inner", "pause", items="row", next=None, wait_for="any"),
        delay("pause", "${item}", next="keep"),
        edit("keep", output="${item}", next=None),
        end(output=ONLY_OUTPUT),
    )
    for run in runs_in_every_order(definition, {"rows": [[9, 3], [8, 7], [1, 5]]}):
        assert_completed(run, {"output": [[None, 3], None, [1, None]]})
        assert seconds_of(run) == 3


def test_lost_messages_cost_only_time(engine: Harness) -> None:
    engine.publish(timed(wait_for=2, parallel=2, rest="absorb"))
    run = engine.start("partial", {"items": [1, 2, 1, 2]})
    for _ in range(12):
        engine.lose_messages()
        engine.jump(seconds=20)
    assert_completed(run)
    assert_invariants()


@pytest.mark.long
def test_a_thousand_items_of_which_ten_are_waited_for(engine: Harness) -> None:
    engine.publish(timed(wait_for=10))
    run = engine.run("partial", {"items": [seconds % 100 for seconds in range(1000)]})
    assert_completed(run)
    assert seconds_of(run) == 0
    assert Counter(part_states(run)) == {"ended": 10, "cancelled": 990}
