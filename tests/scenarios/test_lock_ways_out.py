"""Whatever ends a holder frees its lock: at once, and by the sweeper when nobody was told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import locking
from tests.support.assertions import assert_completed, assert_waiting_for
from tests.support.builder import (
    Node,
    activity,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    race,
    switch,
    wait_event,
    workflow,
)
from tests.support.locking import inside_of, lock, nobody_inside, stands_in_line, work_off
from workflows import services
from workflows.models import LockClaim, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

__all__ = ["nobody_inside"]

WAIT = wait_event("wait", "go")


def send(_run: Run) -> None:
    services.send_event("go")


def nothing(_run: Run) -> None:
    """Let time pass."""


def cancel(run: Run) -> None:
    services.cancel(run.pk)


@dataclass(frozen=True)
class Way:
    """A workflow whose thread holds `x` until an event comes, and what happens then."""

    nodes: list[Node]
    act: Callable[[Run], object] = send
    status: str = "completed"
    others: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)


def body(*nodes: Node, **fields: Any) -> list[Node]:
    """Return a lock around a wait and these nodes."""
    chained = [{**WAIT, **({"next": nodes[0]["id"]} if nodes else {})}, *nodes]
    return [lock("lock", body="wait", next="done", **fields), *chained, end("done")]


BOOM = activity("boom", "test.refuse", next=None)
CHILD = workflow("child", activity("boom", "test.refuse"), end())
HOLDER = inside_of(WAIT, name="holder")

WAYS = {
    "its end": Way(body()),
    "an edge back": Way(body(edit("back", next="lock"))),
    "an end in the body": Way(body(end("stop"))),
    "an end that stops all": Way(body(end("stop", terminate=True))),
    "a fail in the body": Way(body({"id": "no", "type": "fail", "code": "no"}), status="failed"),
    "a break": Way(body(switch("out", "wait", done="true"))),
    "an error": Way(body(BOOM), status="failed"),
    "an error that is caught inside": Way(
        body({**BOOM, "on_error": "mend"}, edit("mend", next=None))
    ),
    "an error that is caught outside": Way(body({**BOOM, "on_error": "done"})),
    "a cancel": Way(body(), cancel, "cancelled"),
    "its run's limit": Way(
        body(), nothing, "failed", limits={"limits": {"timeout": "PT1M"}}
    ),
    "a timeout in the body": Way(
        [*body()[:1], {**WAIT, "timeout": "PT1M", "on_timeout": "done"}, end("done")],
        nothing,
    ),
    "a child that fails": Way(
        body(gosub("sub", "child", next=None)), status="failed", others=[CHILD]
    ),
    "a failed part in the body": Way(
        body(fan_out("split", a="boom", b="b"), {**BOOM, "next": "join"},
             delay("b", "PT1H", next="join"), fan_in("join", next=None)),
        status="failed",
    ),
    "a failed split whose owner leaves": Way(
        body({**fan_out("split", a="boom", b="b"), "on_error": "done"}, {**BOOM, "next": "join"},
             delay("b", "PT1H", next="join"), fan_in("join", next=None)),
    ),
    "an end beside it that stops all": Way([
        fan_out("split", a="lock", b="other"),
        lock("lock", body="hold", next=None),
        wait_event("hold", "never", next=None),
        wait_event("other", "go", next="stop"),
        end("stop", terminate=True),
    ]),
    "a part beside it that fails": Way([
        fan_out("split", a="lock", b="other"),
        lock("lock", body="hold", next=None),
        wait_event("hold", "never", next=None),
        wait_event("other", "go", next="boom"),
        BOOM,
    ], status="failed"),
    "a race that is lost": Way([
        race("race", a="lock", b="other", next="slow"),
        lock("lock", body="hold", next=None),
        wait_event("hold", "never", next=None),
        wait_event("other", "go", next=None),
        delay("slow", "PT1H", next="done"),
        end("done"),
    ], status="suspended"),
    "a race that is lost around a split": Way([
        race("race", a="lock", b="other", next="slow"),
        lock("lock", body="split", next=None),
        fan_out("split", c="hold", d="hold2"),
        wait_event("hold", "never", next="join"),
        wait_event("hold2", "never", next="join"),
        fan_in("join", next=None),
        wait_event("other", "go", next=None),
        delay("slow", "PT1H", next="done"),
        end("done"),
    ], status="suspended"),
    "a failure that is tolerated": Way([
        {**each("map", "lock", items="items", next="done"), "tolerate": {"count": 1}},
        lock("lock", body="wait", next="slow"),
        {**WAIT, "next": "boom"},
        BOOM,
        delay("slow", "PT1H", next=None),
        end("done"),
    ]),
    "a part's own end": Way([
        each("map", "lock", items="items", next="slow"),
        lock("lock", body="wait", next=None),
        {**WAIT, "next": None},
        delay("slow", "PT1H", next="done"),
        end("done"),
    ], status="suspended"),
    "a branch that a join does not wait for": Way([
        fan_out("split", a="lock", b="other"),
        lock("lock", body="hold", next="join"),
        wait_event("hold", "never", next=None),
        wait_event("other", "go", next="join"),
        fan_in("join", wait_for="any", next="slow"),
        delay("slow", "PT1H", next="done"),
        end("done"),
    ], status="suspended"),
    "a cancelled parent": Way([gosub("sub", "holder", next="done"), end("done")], cancel,
        "cancelled", [HOLDER]),
}  # fmt: skip


@pytest.mark.parametrize("told", [True, False], ids=["told", "swept"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_out_frees_the_lock(
    engine: Harness, way: Way, *, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: a lock is freed when its holder ends in any way."""
    if not told:
        monkeypatch.setattr("workflows.services.after._look_at_locks", lambda _hints: None)
    for definition in way.others:
        engine.publish(definition)
    definition = workflow("way", *way.nodes, **way.limits)
    definition["nodes"] = [
        {k: v for k, v in node.items() if (k, v) != ("next", None)} for node in definition["nodes"]
    ]
    engine.publish(definition)
    engine.publish(inside_of(locking.going_in(), locking.going_out(), name="next"))
    holder = engine.start("way", {"items": [1]})
    work_off(engine)
    following = stands_in_line(engine, "next")
    assert_waiting_for(following, "lock")

    way.act(holder)
    work_off(engine)
    if way.act is nothing:
        assert_waiting_for(following, "lock")
        engine.jump(minutes=1)
    elif not told:
        assert_waiting_for(following, "lock")
        engine.drain()
    assert_completed(engine.result(following))
    assert engine.result(holder).status == way.status
    assert not LockClaim.objects.exists()
