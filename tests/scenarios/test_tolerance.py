"""Parts that fail: how many a split puts up with, and who takes the failure when it does not."""

import pytest

from tests.support.assertions import (
    assert_completed,
    part_states,
    seconds_of,
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
    workflow,
)
from tests.support.failing import REFUSED, branches, map_of_numbers, refuse
from tests.support.orders import MANY, assert_output_in_every_order, runs_in_every_order
from workflows.models import ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_so_many_failures_are_tolerated_and_listed() -> None:
    """Contract: `tolerate: {count: N}`; tolerated failures are listed at `errors`."""
    output = {
        "output": ["b"],
        "errors": [{"name": "a", "node": "a", **REFUSED}, {"name": "c", "node": "c", **REFUSED}],
        "after": True,
    }
    for run in runs_in_every_order(branches(tolerate={"count": 2}), {}, MANY):
        assert_completed(run, output)
        assert part_states(run) == ["failed", "arrived", "failed"]
        assert ThreadGroup.objects.get(run=run).state == "joined"


def test_a_share_of_failures_is_tolerated() -> None:
    """Contract: `tolerate: {percent: P}`"""
    items = list(range(6))
    errors = [{"index": index, "node": "bad", **REFUSED} for index in (1, 3, 5)]
    output = {"items": items, "output": [0, None, 20, None, 40, None], "errors": errors}
    assert_output_in_every_order(
        map_of_numbers(tolerate={"percent": 50}), {"items": items}, output, MANY
    )


def test_a_tolerated_failure_of_a_map_is_null() -> None:
    """Contract: results are a list in item order with `null` for a tolerated failure."""
    definition = map_of_numbers(tolerate={"count": 9}, parallel=2)
    for run in runs_in_every_order(definition, {"items": [1, 2, 3]}):
        assert_completed(run)
        assert run.output["output"] == [None, 20, None]


def test_a_tolerated_slice_of_a_batch_leaves_nothing() -> None:
    definition = workflow(
        "tolerant",
        batch("b", "look", size=2, tolerate={"count": 1}, next="end"),
        switch("look", "keep", bad="items[0] == 3"),
        refuse("bad", next=None),
        edit("keep", output="${items}", next=None),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4, 5]}):
        assert_completed(run)
        assert run.output["output"] == [1, 2, 5]
        assert run.output["errors"] == [{"index": 1, "node": "bad", **REFUSED}]


def test_errors_are_there_and_empty_when_nothing_has_failed(engine: Harness) -> None:
    engine.publish(map_of_numbers(tolerate={"count": 1}))
    run = engine.run("tolerant", {"items": [2], "errors": "of before"})
    assert_completed(run, {"items": [2], "output": [20], "errors": []})
    run = engine.run("tolerant", {"items": []})
    assert_completed(run, {"items": [], "output": [], "errors": []})


def test_without_tolerance_there_are_no_errors(engine: Harness) -> None:
    engine.publish(map_of_numbers())
    run = engine.run("tolerant", {"items": [2], "errors": "of before"})
    assert_completed(run, {"items": [2], "output": [20], "errors": "of before"})


def test_a_part_is_tried_again_before_its_failure_counts(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    engine.publish(
        workflow(
            "tolerant",
            each("m", "part", tolerate={"count": 1}, next="end"),
            activity("part", "test.fail_until", input={"attempt": "${item}"}, retry=retry,
                     result="output", next=None),
            end(output={"output": "${output}", "errors": "${errors}"}),
        )
    )  # fmt: skip
    run = engine.run("tolerant", {"items": [1, 2, 3]})
    error = {"index": 2, "node": "part", "code": "not_yet", "message": "not yet"}
    assert_completed(run, {"output": [1, 2, None], "errors": [error]})


def test_a_window_moves_on_when_a_part_has_failed() -> None:
    definition = workflow(
        "tolerant",
        each("m", "rest", tolerate={"percent": 100}, parallel=2, next="end"),
        delay("rest", "PT1S", next="bad"),
        refuse("bad", next=None),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4, 5]}):
        assert_completed(run)
        assert len(run.output["errors"]) == 5
        assert seconds_of(run) == 3


def test_branches_without_a_join_may_fail_too(engine: Harness) -> None:
    engine.publish(
        workflow(
            "tolerant",
            {**fan_out("f", a="a", b="b"), "tolerate": {"count": 1}},
            delay("a", "PT1S", next="bad"),
            refuse("bad", next=None),
            edit("b", who="b", next=None),
        )
    )
    assert_completed(engine.run("tolerant"), {"who": "b"})


def test_the_failures_of_nested_splits_that_are_joined_at_once_are_listed_together() -> None:
    definition = workflow(
        "tolerant",
        {**fan_out("f", a="a", inner="inner", e="e"), "tolerate": {"count": 1}},
        edit("a", output=["a"], next="j"),
        {**fan_out("inner", c="c", d="d"), "tolerate": {"count": 1}},
        refuse("c", next="j"),
        edit("d", output=["d"], next="j"),
        refuse("e", next="j"),
        fan_in("j"),
        end(),
    )
    errors = [{"name": "c", "node": "c", **REFUSED}, {"name": "e", "node": "e", **REFUSED}]
    assert_output_in_every_order(definition, {}, {"output": ["a", "d"], "errors": errors})


def test_a_partial_join_waits_on_past_a_tolerated_failure() -> None:
    definition = workflow(
        "tolerant",
        {**fan_out("f", a="a", b="b", c="c"), "tolerate": {"count": 1}},
        refuse("a", next="j"),
        delay("b", "PT1S", next="j"),
        delay("c", "PT1H", next="j"),
        fan_in("j", wait_for="group.arrived + group.failed >= 2"),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"errors": [{"name": "a", "node": "a", **REFUSED}]})
        assert part_states(run) == ["failed", "arrived", "cancelled"]


def test_a_partial_join_of_failures_only_can_no_longer_be_satisfied() -> None:
    definition = workflow(
        "tolerant",
        {**fan_out("f", a="a", b="b"), "tolerate": {"count": 2}},
        refuse("a", next="j"),
        refuse("b", next="j"),
        fan_in("j", wait_for="any", on_error="mend"),
        end("end"),
        edit("mend", failed="${error.details.errors.map(each, each.name)}", next="end"),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run)
        assert run.output["error"]["code"] == "join_unsatisfied"
        assert run.output["failed"] == ["a", "b"]
