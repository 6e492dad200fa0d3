"""Patterns 1 to 5: basic control flow."""

import pytest

from tests.support.assertions import assert_completed, visited
from tests.support.patterns import in_every_order, times, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_wcp_01_sequence() -> None:
    """A task begins only when the one before it is over: what comes early is not taken early."""
    for engine, name in in_every_order(1):
        run = engine.start(name)
        engine.drain()
        engine.send("sent")
        engine.send("packed")
        assert waiting(run) == ["pick"]
        engine.send("picked")
        assert_completed(run)
        assert visited(run) == ["start", "pick", "pack", "send"]


def test_wcp_02_parallel_split() -> None:
    """Both branches are under way at once, and neither sees what the other does."""
    for engine, name in in_every_order(2):
        run = engine.start(name)
        engine.drain()
        assert waiting(run) == ["bill", "pack"]
        engine.send("packed", data="pack")
        assert waiting(run) == ["bill"]
        engine.send("billed", data="bill")
        assert_completed(run)
        ends = run.history.filter(is_end=True).order_by("node")
        assert [end.output["output"] for end in ends] == [{"mine": "bill"}, {"mine": "pack"}]


def test_wcp_03_synchronization() -> None:
    """What follows begins once, after the last of the branches, whichever it is."""
    for first, second in (("packed", "billed"), ("billed", "packed")):
        for engine, name in in_every_order(3):
            run = engine.start(name)
            engine.drain()
            engine.send(first)
            assert "send" not in waiting(run)
            engine.send(second)
            assert waiting(run) == ["send"]
            engine.send("sent")
            assert_completed(run)
            assert (times(run, "both"), times(run, "send")) == (1, 1)


@pytest.mark.parametrize(("total", "asked"), [(5000, "board"), (500, "boss"), (5, "nobody")])
def test_wcp_04_exclusive_choice(total: int, asked: str) -> None:
    """Exactly one way is taken, also where two conditions are true."""
    for engine, name in in_every_order(4):
        run = engine.run(name, {"total": total})
        assert_completed(run, {"asked": asked})
        assert visited(run) == ["start", "size", asked]


@pytest.mark.parametrize(("by", "way"), [("card", "card"), ("letter", "invoice")])
def test_wcp_05_simple_merge(by: str, way: str) -> None:
    """Either way leads on, without waiting for the other."""
    for engine, name in in_every_order(5):
        run = engine.run(name, {"by": by})
        assert_completed(run)
        assert visited(run) == ["start", "how", way, "send"]
        assert run.history.get(node="send").came_from == way
