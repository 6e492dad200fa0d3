"""Patterns 9, 28 to 33: discriminators, partial joins, the generalised join."""

import pytest

from tests.support.assertions import assert_completed
from tests.support.patterns import in_every_order, times, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ORDERS = [("ann", "bob", "cyd"), ("cyd", "ann", "bob"), ("bob", "cyd", "ann")]


@pytest.mark.parametrize(("first", "other"), [("lab", "field"), ("field", "lab")])
def test_wcp_09_structured_discriminator(first: str, other: str) -> None:
    """The first goes on, the others finish to no effect, and it is ready again the next time."""
    for engine, name in in_every_order(9):
        run = engine.start(name)
        engine.drain()
        for round_ in (1, 2):
            engine.send(first)
            assert waiting(run) == sorted([other, "treat"])
            engine.send(other)
            assert (waiting(run), times(run, f"{other}_filed")) == (["treat"], round_)
            engine.send("treated")
        assert_completed(run, {"first": [first]})
        assert (times(run, "first"), times(run, "treat")) == (2, 2)


def test_wcp_28_blocking_discriminator() -> None:
    """No branch begins again before all of the last round are over, though the first went on."""
    for engine, name in in_every_order(28):
        run = engine.start(name)
        engine.drain()
        engine.send("field")
        engine.send("treated")
        assert waiting(run) == ["lab", "reset"]
        engine.send("lab")
        assert waiting(run) == ["field", "lab"]
        engine.send("lab")
        engine.send("field")
        assert waiting(run) == ["treat"]
        engine.send("treated")
        assert_completed(run)
        assert (times(run, "first"), times(run, "treat"), times(run, "over")) == (2, 2, 4)


@pytest.mark.parametrize("first", ["lab", "field", "paper"])
def test_wcp_29_cancelling_discriminator(first: str) -> None:
    """The first goes on, and the others are withdrawn at that moment."""
    for engine, name in in_every_order(29):
        run = engine.start(name)
        engine.drain()
        engine.send(first)
        assert waiting(run) == ["treat"]
        others = {"lab", "field", "paper"} - {first}
        assert [engine.send(event).woke for event in others] == [(), ()]
        engine.send("treated")
        assert_completed(run)
        assert times(run, "first") == 1


@pytest.mark.parametrize("order", ORDERS)
def test_wcp_30_structured_partial_join(order: tuple[str, ...]) -> None:
    """The second of three goes on, with what the first two left; the third has no effect."""
    for engine, name in in_every_order(30):
        run = engine.start(name)
        engine.drain()
        engine.send(order[0])
        assert "act" not in waiting(run)
        engine.send(order[1])
        assert waiting(run) == sorted([order[2], "act"])
        engine.send(order[2])
        assert (waiting(run), times(run, f"{order[2]}_said")) == (["act"], 1)
        engine.send("acted")
        assert_completed(run, {"said": sorted(order[:2])})
        assert times(run, "two") == 1


def test_wcp_31_blocking_partial_join() -> None:
    """Two of three go on, but none begins again before the third is over."""
    for engine, name in in_every_order(31):
        run = engine.start(name)
        engine.drain()
        engine.send("cyd")
        engine.send("ann")
        engine.send("acted")
        assert waiting(run) == ["bob", "reset"]
        engine.send("bob")
        assert waiting(run) == ["ann", "bob", "cyd"]
        for event in ("bob", "cyd", "ann", "acted"):
            engine.send(event)
        assert_completed(run)
        assert (times(run, "two"), times(run, "over")) == (2, 6)


@pytest.mark.parametrize("order", ORDERS)
def test_wcp_32_cancelling_partial_join(order: tuple[str, ...]) -> None:
    """The second of three goes on, and the third is withdrawn at that moment."""
    for engine, name in in_every_order(32):
        run = engine.start(name)
        engine.drain()
        engine.send(order[0])
        assert waiting(run) == sorted(order[1:])
        engine.send(order[1])
        assert waiting(run) == ["act"]
        assert engine.send(order[2]).woke == ()
        engine.send("acted")
        assert_completed(run)
        assert (times(run, "two"), times(run, order[2])) == (1, 0)


def test_wcp_33_generalised_and_join() -> None:
    """A branch that is ahead loses nothing: each of its results is joined once, in order."""
    for engine, name in in_every_order(33):
        run = engine.start(name)
        engine.drain()
        for number in (1, 2, 3):
            engine.send("part.made", data=f"part {number}")
            engine.jump(milliseconds=1)
        assert times(run, "both") == 0
        for number in (1, 2, 3):
            engine.send("order.came", data=f"order {number}")
            assert times(run, "both") == number
        pairs = [[f"part {number}", f"order {number}"] for number in (1, 2, 3)]
        assert_completed(run, {"made": pairs})
