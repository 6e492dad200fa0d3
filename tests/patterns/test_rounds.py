"""Patterns 10, 11, 21, 22: cycles, loops, recursion, and when it is all over."""

import pytest

from tests.support.assertions import assert_completed, visited
from tests.support.patterns import in_every_order, times, waiting
from workflows.models import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.mark.parametrize(
    ("notes", "words", "fate"),
    [
        (True, ["good"], "printed"),
        (False, ["fine", "rough", "rough", "good"], "printed"),
        (True, ["thin", "fine", "thin", "fine", "good"], "printed"),
        (True, ["rough", "thin", "drop"], "dropped"),
        (False, ["drop"], "dropped"),
    ],
)
def test_wcp_10_arbitrary_cycles(notes: bool, words: list[str], fate: str) -> None:  # noqa: FBT001
    """A cycle with two ways in and two ways out, gone through as often as it takes."""
    for engine, name in in_every_order(10):
        run = engine.start(name, {"notes": notes})
        engine.drain()
        way = []
        for word in words:
            (node,) = waiting(run)
            way.append(node)
            engine.send("drafted" if node == "draft" else "researched", data=word)
        assert_completed(run, {"fate": fate})
        assert [node for node in visited(run) if node in ("draft", "research")] == way
        assert way[0] == ("draft" if notes else "research")


@pytest.mark.parametrize(
    "events", [("a", "b", "b.more"), ("b", "b.more", "a"), ("b", "a", "b.more")]
)
def test_wcp_11_implicit_termination(events: tuple[str, ...]) -> None:
    """The run is over when nothing is left to do, and not before."""
    for engine, name in in_every_order(11):
        run = engine.start(name)
        engine.drain()
        for event in events:
            assert not engine.result(run).ended_at
            engine.send(event)
        assert_completed(run)


@pytest.mark.parametrize("left", [0, 1, 4])
def test_wcp_21_structured_loop(left: int) -> None:
    """The test before the body may leave it out, the test behind it does not."""
    for engine, name in in_every_order(21):
        run = engine.run(name, {"left": left})
        assert_completed(run, {"test_before": left, "test_behind": max(left, 1)})
        assert (times(run, "one"), times(run, "another")) == (left, max(left, 1))


def test_wcp_22_recursion() -> None:
    """A workflow calls itself, each time as a run of its own."""
    for engine, name in in_every_order(22):
        run = engine.run(name, {"n": 5})
        assert_completed(run, {"f": 120})
        below = Run.objects.filter(root_id=run.pk).exclude(pk=run.pk).order_by("depth")
        assert [one.depth for one in below] == [1, 2, 3, 4]
        assert [one.output["f"] for one in below] == [24, 6, 2, 1]
