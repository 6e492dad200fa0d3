"""Patterns 6 to 8, 37, 38, 41, 42: branches that are chosen, that merge, that are threads."""

import pytest

from tests.support.assertions import assert_completed
from tests.support.patterns import in_every_order, times, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

CALLS = ("call", "card", "wrap")
#: Choices of branches: none, one, two, all.
CHOICES = [(), ("card",), ("call", "wrap"), CALLS]


@pytest.mark.parametrize("wants", CHOICES)
def test_wcp_06_multi_choice(wants: tuple[str, ...]) -> None:
    """Exactly the branches that are chosen are begun, side by side."""
    for engine, name in in_every_order(6):
        run = engine.start(name, {"wants": list(wants)})
        engine.drain()
        assert waiting(run) == sorted(wants)
        for event in wants:
            engine.send(event)
        assert_completed(run)
        assert [times(run, node) for node in CALLS] == [int(node in wants) for node in CALLS]


@pytest.mark.parametrize("wants", CHOICES)
def test_wcp_07_structured_synchronizing_merge(wants: tuple[str, ...]) -> None:
    """It waits for all branches that were chosen and for no other, and fires once."""
    for engine, name in in_every_order(7):
        run = engine.start(name, {"wants": list(wants)})
        engine.drain()
        for event in wants:
            assert "send" not in waiting(run)
            engine.send(event)
        assert waiting(run) == ["send"]
        assert times(run, "all") == 1
        engine.send("sent")
        assert_completed(run)


def test_wcp_08_multi_merge() -> None:
    """What follows is done once for each branch, as soon as it comes."""
    for engine, name in in_every_order(8):
        run = engine.start(name)
        engine.drain()
        engine.send("wheels")
        assert waiting(run) == ["check", "frame"]
        engine.send("checked")
        assert (waiting(run), times(run, "file")) == (["frame"], 1)
        engine.send("frame")
        engine.send("checked")
        assert_completed(run)
        assert (times(run, "check"), times(run, "file")) == (2, 2)


@pytest.mark.parametrize(
    ("ways", "waits"),
    [
        (("work", "work"), ["a_work", "b_work"]),
        (("away", "work"), ["b_work"]),
        (("work", "away"), ["a_work"]),
        (("across", "work"), ["b_work", "b_work"]),
        (("across", "away"), ["b_work"]),
        (("away", "away"), []),
    ],
)
def test_wcp_37_local_synchronizing_merge(ways: tuple[str, ...], waits: list[str]) -> None:
    """It fires once, after as many threads as are on their way, however they came there."""
    for engine, name in in_every_order(37):
        run = engine.start(name, {"ways": list(ways)})
        engine.drain()
        for node in reversed(waits):
            assert "act" not in waiting(run)
            engine.send(node[0])
        assert waiting(run) == ["act"]
        assert times(run, "all") == 1
        engine.send("acted")
        assert_completed(run)


def test_wcp_38_general_synchronizing_merge() -> None:
    """It waits for a branch as long as that goes round, and not for what can no longer come."""
    for last in ("there", "away"):
        for engine, name in in_every_order(38):
            run = engine.start(name)
            engine.drain()
            engine.send("a")
            for _ in range(3):
                engine.send("b", data="again")
                assert waiting(run) == ["b"]
            engine.send("b", data=last)
            assert "act" in waiting(run)
            assert times(run, "all") == 1
            engine.send("acted")
            assert_completed(run)
            if last == "away":
                assert waiting(run) == ["aside"]


def test_wcp_41_thread_merge() -> None:
    """Three threads of one branch become one."""
    for engine, name in in_every_order(41):
        run = engine.start(name)
        engine.drain()
        for left in (3, 2, 1):
            assert waiting(run) == ["check"] * left
            engine.send("checked")
        assert waiting(run) == ["report"]
        engine.send("reported")
        assert_completed(run)
        assert (times(run, "check"), times(run, "report")) == (3, 1)


def test_wcp_42_thread_split() -> None:
    """One branch has three threads from here on, of which each goes on by itself."""
    for engine, name in in_every_order(42):
        run = engine.start(name)
        engine.drain()
        assert waiting(run) == ["check"] * 3
        engine.send("checked")
        assert waiting(run) == ["check", "check", "report"]
        engine.send("checked")
        engine.send("checked")
        for _ in range(3):
            assert not engine.result(run).ended_at
            engine.send("reported")
        assert_completed(run)
        assert (times(run, "check"), times(run, "report")) == (3, 3)
