"""Parts that fail beyond what is tolerated: the split fails, and who takes that."""

import pytest

from tests.support.activities import calls
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_failed,
    assert_waiting_for,
    live_parts,
    part_states,
    visited,
)
from tests.support.builder import (
    activity,
    ask,
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
from tests.support.failing import REFUSED, branches, map_of_numbers, refuse
from tests.support.invariants import assert_invariants
from tests.support.orders import MANY, assert_output_in_every_order, runs_in_every_order
from workflows import services
from workflows.models import ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_a_failure_fails_the_run() -> None:
    """Contract: A branch failure fails the run unless the split says `tolerate`"""
    for run in runs_in_every_order(branches(), {}):
        assert run.status == "failed"
        assert run.error["code"] == "refused"
        assert run.error["node"] in ("a", "c")
        assert "j" not in visited(run)


def test_one_failure_too_many_fails_the_split_and_stops_the_rest() -> None:
    calls.clear()
    definition = workflow(
        "tolerant",
        each("m", "look", tolerate={"count": 1}, next="end"),
        switch("look", "rest", bad="item < 3"),
        refuse("bad", next=None),
        delay("rest", "PT1S"),
        activity("never", "test.count", next=None),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4]}):
        assert_failed(run, "too_many_failures", "m")
        assert run.error["message"] == "2 of 4 parts of 'm' have failed, and it tolerates 1."
        assert [each["index"] for each in run.error["details"]["errors"]] == [0, 1]
        assert part_states(run) == ["failed", "failed", "cancelled", "cancelled"]
        assert ThreadGroup.objects.get(run=run).state == "failed"
    assert not calls


def test_a_share_is_rounded_down(engine: Harness) -> None:
    engine.publish(map_of_numbers(tolerate={"percent": 39.9}))
    assert_failed(engine.run("tolerant", {"items": [1, 1, 2, 4, 6]}), "too_many_failures", "m")
    run = engine.run("tolerant", {"items": [1, 2, 2, 4, 6]})
    assert_completed(run)


def test_the_on_error_of_a_split_takes_the_failure_of_a_part() -> None:
    for run in runs_in_every_order(branches(on_error="mend"), {"x": 1}, MANY):
        assert_completed(run)
        assert (run.output["x"], run.output["code"]) == (1, "refused")
        assert run.output["at"] in ("a", "c")
        assert "output" not in run.output
        assert ThreadGroup.objects.get(run=run).state == "failed"
        assert visited(run).count("mend") == 1


def test_the_on_error_of_a_split_takes_too_many_failures() -> None:
    definition = branches(tolerate={"count": 1}, on_error="mend")
    for run in runs_in_every_order(definition, {}):
        assert_completed(run)
        assert (run.output["code"], run.output["at"]) == ("too_many_failures", "f")
        assert [each["name"] for each in run.output["error"]["details"]["errors"]] == ["a", "c"]


def test_the_on_error_of_a_batch_stops_what_sleeps_in_it(engine: Harness) -> None:
    engine.publish(
        workflow(
            "tolerant",
            batch("b", "look", size=1, parallel=3, on_error="mend", next="end"),
            switch("look", "sleep", pause="items[0] == 3"),
            wait_event("sleep", "never", next=None),
            delay("pause", "PT1S", next="bad"),
            refuse("bad", next=None),
            edit("mend", mended=True),
            wait_event("later", "later"),
            end(output={"mended": "${mended}", "items": "${items}"}),
        )
    )
    run = engine.start("tolerant", {"items": [1, 2, 3, 4]})
    engine.drain()
    assert live_parts(run) == 3
    engine.jump(seconds=1)
    assert_waiting_for(run, "later")
    assert part_states(run) == ["cancelled", "cancelled", "failed", "cancelled"]
    assert_invariants()
    engine.send("later")
    assert_completed(run, {"mended": True, "items": [1, 2, 3, 4]})


def test_a_failure_goes_outwards_to_the_first_that_takes_it() -> None:
    definition = workflow(
        "tolerant",
        each("m", "split", tolerate={"count": 1}, next="end"),
        fan_out("split", a="inner", b="b"),
        batch("inner", "look", items="item", size=1, next="j"),
        switch("look", "fine", bad="item[0] == 13"),
        refuse("bad", next=None),
        edit("fine", output="${item}", next=None),
        edit("b", other=1, next="j"),
        fan_in("j", next=None),
        end(output={"output": "${output}", "errors": "${errors}"}),
    )
    output = {
        "output": [[1, 2], None, [5]],
        "errors": [{"index": 1, "node": "bad", **REFUSED}],
    }
    for run in runs_in_every_order(definition, {"items": [[1, 2], [3, 13, 4], [5]]}, MANY):
        assert_completed(run, output)
        states = ThreadGroup.objects.filter(run=run).values_list("state", flat=True)
        assert sorted(states) == ["failed"] * 2 + ["joined"] * 5
        assert_invariants()


def test_a_failure_that_nobody_takes_goes_out_to_the_run() -> None:
    definition = workflow(
        "tolerant",
        {**fan_out("outer", a="m", b="b"), "tolerate": {"count": 0}},
        each("m", "bad", tolerate={"count": 1}, next="j"),
        refuse("bad", next=None),
        wait_event("b", "never", next="j"),
        fan_in("j"),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2]}):
        assert_failed(run, "too_many_failures", "outer")
        (inner,) = run.error["details"]["errors"]
        assert (inner["name"], inner["code"], inner["node"]) == ("a", "too_many_failures", "m")


def test_an_inner_on_error_comes_before_an_outer_tolerance() -> None:
    definition = workflow(
        "tolerant",
        each("m", "split", tolerate={"count": 5}, next="end"),
        {**fan_out("split", a="bad"), "on_error": "mend"},
        refuse("bad", next="j"),
        fan_in("j", next=None),
        edit("mend", output="${error.code}", next=None),
        end(output={"output": "${output}", "errors": "${errors}"}),
    )
    output = {"output": ["refused", "refused"], "errors": []}
    assert_output_in_every_order(definition, {"items": [1, 2]}, output)


def test_a_fail_node_fails_the_run_whatever_is_tolerated(engine: Harness) -> None:
    """Contract: `fail` ends the run as failed with `code` and `message`"""
    engine.publish(
        workflow(
            "tolerant",
            each("m", "stop", tolerate={"count": 9}, on_error="end", next="end"),
            {"id": "stop", "type": "fail", "code": "enough", "message": "now"},
            end(),
        )
    )
    assert_failed(engine.run("tolerant", {"items": [1, 2]}), "enough", "stop")


def test_on_error_leaves_the_loop_that_the_split_is_in_only_when_it_leads_out(
    engine: Harness,
) -> None:
    loop = {"id": "loop", "type": "loop", "body": "m", "while": "loop.index < 3"}
    engine.publish(
        workflow(
            "tolerant",
            {**loop, "max_iterations": 5, "next": "end"},
            each("m", "look", on_error="note", next="loop"),
            switch("look", "fine", bad="loop.index == 1"),
            refuse("bad", next=None),
            edit("fine", output="${item}", next=None),
            edit("note", failed_in="${loop.index}", next="loop"),
            end(),
        )
    )
    run = engine.run("tolerant", {"items": [1]})
    assert_completed(run)
    assert (run.output["failed_in"], run.output["output"]) == (1, [1])
    assert visited(run).count("loop") == 4


def test_people_are_no_longer_asked_by_what_was_stopped(engine: Harness) -> None:
    engine.publish(
        workflow(
            "tolerant",
            {**fan_out("f", a="ask", b="b"), "on_error": "mend"},
            ask("ask", next="j"),
            delay("b", "PT1S", next="bad"),
            refuse("bad", next="j"),
            fan_in("j", next="end"),
            edit("mend", mended=True),
            ask("again"),
            end(),
        )
    )
    run = engine.start("tolerant")
    engine.drain()
    assert_waiting_for(run, "ask", "b")
    engine.jump(seconds=1)
    assert_waiting_for(run, "again")


def test_the_merge_of_an_inner_group_may_fail_and_be_tolerated() -> None:
    definition = workflow(
        "tolerant",
        each("m", "inner", tolerate={"count": 1}, next="end"),
        batch("inner", "part", items="rows", merge="item.x", next=None),
        edit("part", item={"x": 1}, next=None),
        end(output={"errors": "${errors}"}),
    )
    for run in runs_in_every_order(definition, {"items": [{}, 5], "rows": [1]}):
        assert_completed(run)
        (error,) = run.output["errors"]
        assert (error["index"], error["code"], error["node"]) == (1, "path_invalid", "inner")


def test_a_run_can_be_cancelled_while_failures_pile_up(engine: Harness) -> None:
    engine.publish(map_of_numbers(tolerate={"percent": 100}))
    run = engine.start("tolerant", {"items": [1, 3, 5]})
    assert engine.pump.step()
    services.cancel(run.pk)
    engine.drain()
    assert_at_rest(run)
