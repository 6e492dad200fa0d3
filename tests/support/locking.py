"""Who is inside of a lock: noted by activities, which fail when two are there that must not be."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import Node, activity
from tests.support.invariants import assert_invariants
from tests.support.orders import FIFTY, ORDERS, Order, engine_in
from workflows.activities import ActivityContext, ActivityError
from workflows.activities import activity as registered
from workflows.models import LockClaim, Run
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

#: How many are inside, by name and whether they share; the most there ever were; who came in.
inside: Counter[tuple[str, bool]] = Counter()
most: Counter[str] = Counter()
entered: deque[Any] = deque()

#: Goes on from order to order: they share the database, in which time does not go back.
_time = VirtualClock()

#: A few orders, and with the long tests all of them.
in_orders = pytest.mark.parametrize(
    "orders",
    [pytest.param(ORDERS, id="few"), pytest.param(FIFTY, id="fifty", marks=pytest.mark.long)],
)


@pytest.fixture(autouse=True)
def nobody_inside() -> None:
    """Let a test begin anew."""
    forget()


def forget() -> None:
    """Begin anew."""
    inside.clear()
    most.clear()
    entered.clear()


@registered("lock.enter")
def enter(name: str, who: Any = None, limit: int = 1, *, shared: bool = False) -> None:
    """Note that somebody is inside, and fail when they may not be."""
    alone, together = inside[name, False], inside[name, True]
    if (alone and (shared or alone >= limit)) or (together and not shared):
        raise ActivityError("crowded", f"{alone} and {together} are inside of {name} already")
    inside[name, shared] += 1
    most[name] = max(most[name], inside[name, True] + inside[name, False])
    entered.append(who)


@registered("lock.leave")
def leave(name: str, *, shared: bool = False) -> None:
    """Note that somebody has left."""
    inside[name, shared] -= 1


@registered("lock.claims")
def claims(context: ActivityContext) -> int:
    """Return how many locks the run that calls it has, or wants."""
    return LockClaim.objects.filter(run_id=context.run_id).count()


def lock(id_: str, name: Any = "x", *, body: str = "enter", **fields: Any) -> Node:
    return {"id": id_, "type": "lock", "name": name, "body": body, **fields}


def going_in(id_: str = "enter", name: str = "x", **fields: Any) -> Node:
    """Return an activity that notes the entry."""
    given = {key: fields.pop(key) for key in ("who", "limit", "shared") if key in fields}
    return activity(id_, "lock.enter", input={"name": name, **given}, **fields)


def going_out(id_: str = "leave", name: str = "x", **fields: Any) -> Node:
    """Return an activity that notes the way out."""
    given = {key: fields.pop(key) for key in ("shared",) if key in fields}
    return activity(id_, "lock.leave", input={"name": name, **given}, **fields)


def inside_of(*body: Node, name: str = "locked", **fields: Any) -> dict[str, Any]:
    """Return a workflow with nothing but a lock around a body, whose nodes follow each other.

    A node that says where it goes (`next`, even None) goes there.
    """
    chained = [dict(node) for node in body]
    for node, following in zip(chained, [*chained[1:], None], strict=True):
        if "next" not in node and node["type"] not in {"end", "fail", "switch"} and following:
            node["next"] = following["id"]
    nodes = [
        {"id": "start", "type": "start", "next": "lock"},
        lock("lock", fields.pop("lock", "x"), body=chained[0]["id"], next="done", **fields),
        *chained,
        {"id": "done", "type": "end"},
    ]
    bare = [{key: v for key, v in node.items() if (key, v) != ("next", None)} for node in nodes]
    return {"workflow": name, "nodes": bare}


def engines(orders: Iterable[Order]) -> Iterator[Harness]:
    """Yield an engine for each order; in none of them anybody is left inside, or any claim."""
    for order in orders:
        forget()
        with engine_in(order, _time) as engine:
            yield engine
        assert_invariants()
        assert not +inside, order
        assert not LockClaim.objects.exists(), order


def run_all(engine: Harness, *names: str, **data: Any) -> list[Run]:
    """Run workflows, until all runs are final or nothing moves by itself any more."""
    runs = [engine.start(name, data) for name in names]
    engine.drain()
    while (due := engine.next_due()) is not None and not all(
        engine.result(run).ended_at for run in runs
    ):
        engine.clock.move_to(due)
        engine.drain()
    return [engine.result(run) for run in runs]


def assert_all_completed(runs: Iterable[Run]) -> None:
    for run in runs:
        assert_completed(run)
        assert_each_step_once(run)
        assert_at_rest(run)


def work_off(engine: Harness) -> None:
    """Work off every message, and let nobody sweep: what happens now, happens without delay."""
    while engine.pump.step():
        pass
    assert_invariants()


def stands_in_line(engine: Harness, name: str = "locked") -> Run:
    """Start a run, and work on it until it stands where it has to wait."""
    run = engine.start(name)
    work_off(engine)
    return engine.result(run)
