"""Every edge of the state tables is taken by a scenario, and no other status is ever reached."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import override_settings

from tests.support.activities import Killed
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.locking import inside_of
from tests.support.orders import ONE_LEG
from workflows import services
from workflows.models import LockClaim, Run, Suspension, Thread, ThreadGroup
from workflows.states import (
    GROUP_EDGES,
    LOCK_EDGES,
    RUN_EDGES,
    SUSPENSION_EDGES,
    THREAD_EDGES,
    Edges,
)
from workflows.store import transition
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

Edge = tuple[str, str, str]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[Edge]:
    """Every edge that was taken: (state before, event, state after)."""
    edges: set[Edge] = set()
    monkeypatch.setattr(transition, "on_edge", lambda *edge: edges.add(edge))
    return edges


def _ends_well(engine: Harness) -> None:
    engine.publish(workflow("t", delay("d", "PT1M"), end()))
    engine.run("t")


def _fails(engine: Harness) -> None:
    engine.publish(workflow("t", activity("a", "test.refuse"), end()))
    engine.run("t")


def _is_too_old_asleep(engine: Harness) -> None:
    engine.publish(workflow("t", delay("d", "P9D"), end(), limits={"timeout": "P1D"}))
    engine.run("t")


def _is_cancelled_at_once(engine: Harness) -> None:
    engine.publish(workflow("t", end()))
    services.cancel(engine.start("t").pk)


def _is_cancelled_with_everything_open(engine: Harness) -> None:
    nested = workflow(
        "t",
        fan_out("f", a="a", b="b"),
        wait_event("a", "never", next="j"),
        batch("b", "part", size=1, parallel=1, next="j"),
        delay("part", "PT1H", next=None),
        fan_in("j"),
        end(),
    )
    engine.publish(nested)
    run = engine.start("t", {"items": [1, 2]})
    engine.drain()
    services.cancel(run.pk)


def _is_cancelled_by_one_of_its_own_threads(engine: Harness) -> None:
    engine.publish(
        workflow(
            "t",
            fan_out("f", a="pause", b="pause", c="pause"),
            delay("pause", "PT1M", next="cancel"),
            activity("cancel", "test.cancel", next="j"),
            fan_in("j"),
            end(),
        )
    )
    engine.run("t")


def _joins_far_out(engine: Harness) -> None:
    engine.publish(
        workflow(
            "t",
            fan_out("f", a="inner", b="b"),
            fan_out("inner", c="c", d="d"),
            edit("c", next="j"),
            edit("d", next="j"),
            edit("b", next="j"),
            fan_in("j", next=None),
        )
    )
    engine.run("t")


def _splits_without_joins(engine: Harness) -> None:
    engine.publish(
        workflow(
            "t",
            fan_out("f", a="inner", b="b"),
            fan_out("inner", c="c"),
            edit("c", next=None),
            edit("b", next=None),
        )
    )
    engine.run("t")


def _goes_on_in_hand(engine: Harness) -> None:
    engine.publish(workflow("t", activity("one", "test.echo"), activity("two", "test.echo"), end()))
    with override_settings(CELERIAC={**settings.CELERIAC, "SLICE_SECONDS": 60.0}):
        engine.run("t")


def _takes_turns(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    engine.publish(
        workflow(
            "t",
            each("m", "one", next="end"),
            activity("one", "test.echo", next="two"),
            activity("two", "test.fail_until", input={"attempt": 2}, retry=retry, next=None),
            end(),
        )
    )
    with override_settings(CELERIAC={**settings.CELERIAC, **ONE_LEG}):
        engine.run("t", {"items": [1, 2, 3]})


def _loses_its_worker(engine: Harness) -> None:
    engine.publish(
        workflow("t", each("m", "die", next="end"), activity("die", "test.die", next=None), end())
    )
    run = engine.start("t", {"items": [1]})
    with pytest.raises(Killed):
        engine.drain()
    engine.jump(seconds=20)
    assert engine.result(run).status == "completed"


def _fails_in_part(engine: Harness) -> None:
    engine.publish(
        workflow(
            "t",
            {**fan_out("f", a="m", b="b"), "tolerate": {"count": 1}},
            each("m", "bad", next="j"),
            activity("bad", "test.refuse", next=None),
            edit("b", next="j"),
            fan_in("j"),
            end(),
        )
    )
    engine.run("t", {"items": [1, 2]})


def _leaves_branches_behind(engine: Harness) -> None:
    engine.publish(
        workflow(
            "t",
            fan_out("f", a="a", b="b"),
            edit("a", next="j"),
            edit("b", next="j"),
            fan_in("j", wait_for="any", rest="absorb"),
            delay("later", "PT1S"),
            end(),
        )
    )
    engine.run("t")


def _waits_for_a_lock(engine: Harness) -> None:
    """And loses it asleep, and has it again."""
    engine.publish(inside_of(delay("nap", "PT1M"), release_while_suspended=True))
    engine.publish(inside_of(delay("nap", "PT1H"), name="slow"))
    engine.start("slow")
    engine.drain()
    engine.run("locked")


STORIES: tuple[Callable[[Harness], None], ...] = (
    _ends_well,
    _fails,
    _is_too_old_asleep,
    _is_cancelled_at_once,
    _is_cancelled_with_everything_open,
    _is_cancelled_by_one_of_its_own_threads,
    _joins_far_out,
    _splits_without_joins,
    _goes_on_in_hand,
    _takes_turns,
    _loses_its_worker,
    _fails_in_part,
    _leaves_branches_behind,
    _waits_for_a_lock,
)


def test_every_edge_is_taken(engine: Harness, taken: set[Edge]) -> None:
    for story in STORIES:
        story(engine)
    for name, edges in TABLES.items():
        assert missing(edges, taken) == set(), name


def test_an_edge_that_no_story_takes_is_found(engine: Harness, taken: set[Edge]) -> None:
    for story in STORIES:
        if story is not _is_too_old_asleep:
            story(engine)
    assert missing(RUN_EDGES, taken) == {("suspended", "fail", "failed")}


TABLES: dict[str, Edges] = {
    "runs": RUN_EDGES,
    "threads": THREAD_EDGES,
    "suspensions": SUSPENSION_EDGES,
    "groups": GROUP_EDGES,
    "locks": LOCK_EDGES,
}


def missing(edges: Edges, taken: set[Edge]) -> set[Edge]:
    return {(before, event, after) for (before, event), after in edges.items()} - taken


def test_every_edge_leads_to_a_known_state() -> None:
    tables = {Run: RUN_EDGES, Thread: THREAD_EDGES}
    tables |= {Suspension: SUSPENSION_EDGES, ThreadGroup: GROUP_EDGES, LockClaim: LOCK_EDGES}
    for model, edges in tables.items():
        field = "status" if model is Run else "state"
        known = {value for value, _ in getattr(model._meta.get_field(field), "choices", ())}
        assert {before for before, _ in edges} | set(edges.values()) == known


def test_an_edge_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(LookupError):
        transition.follow(RUN_EDGES, "completed", "move")
