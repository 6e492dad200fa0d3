"""Patterns 16 to 18, 23, 24, 39, 40: what depends on the state, on locks, on triggers."""

from datetime import timedelta

import pytest

from tests.support.assertions import assert_completed, visited
from tests.support.patterns import in_every_order, times, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.mark.parametrize(
    ("event", "chosen"), [("answered", "answered"), ("withdrawn", "withdrawn")]
)
def test_wcp_16_deferred_choice(event: str, chosen: str) -> None:
    """All ways stand open until something happens; then one is taken and the others are gone."""
    for engine, name in in_every_order(16):
        run = engine.start(name)
        engine.jump(days=6)
        assert waiting(run) == ["answer", "late", "withdraw"]
        engine.send(event)
        assert_completed(run, {"chosen": chosen})
        other = {"answered", "withdrawn"} - {event}
        assert engine.send(other.pop()).woke == ()


def test_wcp_16_deferred_choice_by_time() -> None:
    for engine, name in in_every_order(16):
        run = engine.start(name)
        engine.jump(days=7)
        assert_completed(run, {"chosen": "late"})


def test_wcp_17_interleaved_parallel_routing() -> None:
    """Each task once, one at a time, and the first of the two before the second."""
    events = {"weigh": "weighed", "label": "labelled", "photo": "photographed"}
    for engine, name in in_every_order(17):
        run = engine.start(name)
        engine.drain()
        order: list[str] = []
        while now := [node for node in waiting(run) if node in events]:
            assert len(now) == 1
            order += now
            engine.send(events[now[0]])
        assert_completed(run)
        assert sorted(order) == sorted(events)
        assert order.index("weigh") < order.index("label")


def test_wcp_18_milestone() -> None:
    """The task can be done while the milestone stands: not before, and not after."""
    for when, done in (("before", False), ("while", True), ("after", False)):
        for engine, name in in_every_order(18):
            run = engine.start(name)
            engine.drain()
            for step, event in (("before", "paid"), ("while", "packed"), ("after", None)):
                if step == when:
                    woke = engine.send("change", ttl=timedelta(0)).woke
                    assert bool(woke) is done
                if event:
                    engine.send(event)
            assert_completed(run, {"change": "changed" if done else "shut"})
            assert times(run, "change") == int(done)


def test_wcp_23_transient_trigger() -> None:
    """A trigger that nobody waits for is lost; one that somebody waits for is taken."""
    for engine, name in in_every_order(23):
        run = engine.start(name)
        engine.drain()
        engine.send("horn", ttl=timedelta(0))
        engine.send("ready")
        assert waiting(run) == ["horn", "wait"]
        engine.send("blow")
        engine.send("blow")  # the run's own trigger has no time to live either
        assert_completed(run)
        early = engine.start(name)
        engine.drain()
        engine.send("blow")
        engine.send("blow")
        engine.send("ready")
        assert waiting(early) == ["wait"]


def test_wcp_24_persistent_trigger() -> None:
    """A trigger is kept until the task is ready for it, and taken once."""
    for engine, name in in_every_order(24):
        run, other = engine.start(name), engine.start(name)
        engine.drain()
        engine.send("post", data="letter")
        engine.jump(days=3)
        assert waiting(run) == ["work"]
        engine.send("ready", deliver="all")
        ended = [one for one in map(engine.result, (run, other)) if one.ended_at]
        assert [one.output for one in ended] == [{"post": "letter"}]


def test_wcp_39_critical_section() -> None:
    """Of two sections at most one is under way at any moment, until it is over as a whole."""
    for engine, name in in_every_order(39):
        run = engine.start(name)
        engine.drain()
        inside = {"loading": "loaded", "secure": "secured", "unloading": "unloaded"}
        order: list[str] = []
        while now := [node for node in waiting(run) if node in inside]:
            assert len(now) == 1
            order += now
            engine.send(inside[now[0]])
        assert_completed(run)
        assert order in (["loading", "secure", "unloading"], ["unloading", "loading", "secure"])


def test_wcp_40_interleaved_routing() -> None:
    """Each task once, in any order, never two at the same time."""
    for engine, name in in_every_order(40):
        run = engine.start(name)
        engine.drain()
        order: list[str] = []
        while now := [node for node in waiting(run) if node in ("blood", "eyes", "ears")]:
            assert len(now) == 1
            order += now
            engine.send(now[0])
        assert_completed(run)
        assert sorted(order) == ["blood", "ears", "eyes"]
        assert [node for node in visited(run) if node in order] == order
