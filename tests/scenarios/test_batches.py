"""Batches: slices of a list, and the window that they move through."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.support.assertions import (
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
    live_parts,
    seconds_of,
)
from tests.support.builder import activity, batch, delay, edit, end, switch, wait_event, workflow
from tests.support.orders import ONE_LEG, assert_output_in_every_order, runs_in_every_order
from workflows.models import Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ITEMS = [3, 1, 4, 1, 5, 9, 2]


def batch_of(process: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return workflow("batch", batch("b", process["id"], next="end", **fields), process, end())


@pytest.mark.parametrize(
    ("size", "sums"),
    [(0, [25]), (1, ITEMS), (2, [4, 5, 14, 2]), (3, [8, 15, 2]), (7, [25]), (50, [25])],
)
def test_slices_are_contiguous_and_in_order(engine: Harness, size: int, sums: list[int]) -> None:
    """Contract: `size`: slices are contiguous and in order, the last may be shorter."""
    engine.publish(batch_of(edit("part", output="${[sum(items)]}", next=None), size=size))
    assert_completed(engine.run("batch", {"items": ITEMS}), {"items": ITEMS, "output": sums})


def test_slices_are_merged_in_their_order_whatever_the_order_of_messages() -> None:
    """Contract: `next` runs once after all slices, their values merged in slice order."""
    part = edit("part", output="${items}", other="dropped", next=None)
    for parallel in (0, 3):
        assert_output_in_every_order(
            batch_of(part, size=2, parallel=parallel),
            {"items": ITEMS},
            {"items": ITEMS, "output": ITEMS},
        )


def test_a_slice_sees_where_it_stands(engine: Harness) -> None:
    """Contract: A slice has the list replaced by it, and `batch` with where it stands."""
    engine.publish(batch_of(edit("part", output="${[batch]}", next=None), size=3))
    run = engine.run("batch", {"items": ITEMS})
    place = {"count": 3, "total": 7}
    assert_completed(
        run,
        {
            "items": ITEMS,
            "output": [
                {"index": 0, "start": 0, "end": 3, **place},
                {"index": 1, "start": 3, "end": 6, **place},
                {"index": 2, "start": 6, "end": 7, **place},
            ],
        },
    )


def test_the_items_may_lie_deep_and_the_merge_path_be_named(engine: Harness) -> None:
    part = edit("part", found__all="${order.lines}", next=None)
    engine.publish(batch_of(part, items="order.lines", size=1, merge="found.all"))
    before = {"order": {"lines": [1, 2]}, "found": {"all": [0], "kept": True}}
    assert_completed(
        engine.run("batch", before),
        {"order": {"lines": [1, 2]}, "found": {"all": [1, 2], "kept": True}},
    )


def test_an_empty_list_goes_straight_on(engine: Harness) -> None:
    """Contract: Empty list or no `process`: straight to `next`."""
    engine.publish(batch_of(edit("part", output=1, next=None)))
    run = engine.run("batch", {"items": []})
    assert_completed(run, {"items": []})
    assert Thread.objects.filter(run=run).count() == 1


def test_a_batch_without_a_process_goes_straight_on(engine: Harness) -> None:
    """Contract: Empty list or no `process`: straight to `next`."""
    engine.publish(workflow("batch", batch("b", None), end()))
    assert_completed(engine.run("batch", {"items": ITEMS}), {"items": ITEMS})


@pytest.mark.parametrize("data", [{}, {"items": None}, {"items": "abc"}, {"items": {"a": 1}}])
def test_what_is_no_list_fails_the_node(engine: Harness, data: dict[str, Any]) -> None:
    """Contract: Not a list, null, absent, negative numbers are errors."""
    engine.publish(batch_of(edit("part", output=1, next=None)))
    run = engine.run("batch", data)
    assert_failed(run, "items_invalid", "b")


def test_a_slice_that_changes_nothing_leaves_nothing(engine: Harness) -> None:
    engine.publish(batch_of(edit("part", other=1, next=None), size=2))
    run = engine.run("batch", {"items": ITEMS, "output": "before"})
    assert_completed(run, {"items": ITEMS, "output": "before"})


def test_a_batch_may_put_its_list_back_changed_in_parts() -> None:
    """The whole list stood there before: a slice of it is a change, even one that is left as is."""
    definition = workflow(
        "batch",
        batch("b", "which", size=2, merge="items", next="end"),
        switch("which", "keep", scale="batch.index == 1"),
        edit("scale", items="${items.map(item, item * 10)}", next=None),
        edit("keep", other=1, next=None),
        end(),
    )
    for data, after in (([1, 2, 3, 4, 5], [1, 2, 30, 40, 5]), ([1, 2], [1, 2])):
        assert_output_in_every_order(definition, {"items": data}, {"items": after})


def test_what_follows_runs_once(engine: Harness) -> None:
    """Contract: `next` runs once after all slices, their values merged in slice order."""
    engine.publish(
        workflow(
            "batch",
            batch("b", "part", size=1, next="after"),
            edit("part", next=None, output=1),
            activity("after", "test.count", result="times"),
            end(output={"times": "${times}"}),
        )
    )
    run = engine.run("batch", {"items": ITEMS})
    assert_completed(run, {"times": 1})
    assert_each_step_once(run)


# --- the window -----------------------------------------------------------------------------


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_window_is_never_exceeded(parallel: int) -> None:
    """Contract: At most `parallel` slices live at once, in a sliding window."""
    definition = workflow(
        "batch",
        batch("b", "look", size=1, parallel=parallel, merge="alive", next="end"),
        activity("look", "test.alive", result="alive", next="rest"),
        delay("rest", "PT1S", next=None),
        end(output={"most": "${max(alive)}", "slices": "${length(alive)}"}),
    )
    assert_output_in_every_order(definition, {"items": ITEMS[:5]}, {"most": parallel, "slices": 5})


def test_sleeping_slices_hold_their_places(engine: Harness) -> None:
    asked = wait_event("ask", "answer", key="items[0]", result="output", next=None)
    engine.publish(batch_of(asked, size=1, parallel=2))
    run = engine.start("batch", {"items": [1, 2, 3, 4, 5]})
    engine.drain()
    assert_waiting_for(run, "ask", "ask")
    for answered in ("2", "1", "3", "5", "4"):
        assert len(engine.send("answer", key=answered).woke) == 1 or answered == "5"
        assert live_parts(run) <= 2
    assert_completed(run)
    assert engine.result(run).output["output"]["key"] == list("12345")


def test_a_place_is_taken_again_in_the_moment_it_is_free() -> None:
    """No sweep and no time are needed, even when a slice ends past its message's time."""
    definition = workflow(
        "batch",
        batch("b", "pause", size=1, parallel=2, next="end"),
        delay("pause", "PT1S", next="one"),
        activity("one", "test.echo", next="two"),
        activity("two", "test.echo", next="three"),
        activity("three", "test.alive", next=None),
        end(),
    )
    for run in runs_in_every_order(definition, {"items": [1, 2, 3, 4]}):
        assert_completed(run)
        assert max(run.output["output"]) <= 2
        assert seconds_of(run) == 2


def test_woken_threads_need_no_sweep_to_get_on(engine: Harness, settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, **ONE_LEG}
    steps = [activity(f"a{idx}", "test.echo", input={"value": idx}) for idx in range(4)]
    engine.publish(
        workflow(
            "batch",
            batch("b", "pause", size=1, next="end"),
            delay("pause", "PT1S"),
            *steps,
            edit("last", next=None),
            end(),
        )
    )
    run = engine.start("batch", {"items": [1, 2, 3]})
    engine.jump(seconds=1)
    assert_completed(run, {"items": [1, 2, 3], "output": [3, 3, 3]})


def test_a_failing_slice_fails_the_run_and_empties_the_window(engine: Harness) -> None:
    engine.publish(
        workflow(
            "batch",
            batch("b", "pause", size=1, parallel=2, next="end"),
            delay("pause", "PT1S", next="bad"),
            activity("bad", "test.refuse", next=None),
            end(),
        )
    )
    run = engine.run("batch", {"items": ITEMS})
    assert_failed(run, "refused", "bad")
    parts = Thread.objects.filter(run=run, group__isnull=False).order_by("idx")
    assert [part.state for part in parts] == ["failed", *["cancelled"] * 6]
