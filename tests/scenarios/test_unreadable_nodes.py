"""Versions of which newer code cannot read some nodes: what sleeps there goes on, or says why."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_failed
from tests.support.builder import delay, edit, end, fan_in, fan_out, switch, wait_event, workflow
from workflows import services
from workflows.engine import plans
from workflows.errors import DefinitionError
from workflows.models import Run, WorkflowVersion
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

STEPS = (wait_event("ask", "go"), edit("gone", x=1), end(output={"x": "${default(x, 0)}"}))


def begun(engine: Harness, *nodes: dict[str, Any], alter: Callable[[dict[str, Any]], None]) -> Run:
    """Let a run sleep, and alter a node of its version as if newer code could not read it."""
    engine.publish(workflow("old", *(nodes or STEPS)))
    run = engine.start("old")
    engine.drain()
    version = WorkflowVersion.objects.get()
    for node in version.document["nodes"]:
        if node["id"] == "gone":
            alter(node)
    WorkflowVersion.objects.update(document=version.document)
    plans.forget_plans()
    return run


def of_no_kind(node: dict[str, Any]) -> None:
    node["type"] = "shop.edit"


def with_another_field(node: dict[str, Any]) -> None:
    node["sign"] = "yes"


@pytest.mark.parametrize(
    ("alter", "why"),
    [(of_no_kind, "no nodes of type 'shop.edit' any more"), (with_another_field, "'sign'")],
)
def test_a_node_that_cannot_be_read_any_more_fails_when_it_is_reached(
    engine: Harness, alter: Callable[[dict[str, Any]], None], why: str
) -> None:
    run = begun(engine, alter=alter)
    engine.send("go")
    assert_failed(run, "node_unreadable", node="gone")
    assert why in engine.result(run).error["message"]
    assert_at_rest(run)


def test_its_on_error_is_kept(engine: Harness) -> None:
    steps = [wait_event("ask", "go"), {**edit("gone", x=1), "on_error": "saved"}, end()]
    saved = edit("saved", x="${error.code}", next="end")
    run = begun(engine, *steps, saved, alter=with_another_field)
    engine.send("go")
    assert engine.result(run).output["x"] == "node_unreadable"


def test_a_thread_that_sleeps_at_it_fails_when_it_is_woken(engine: Harness) -> None:
    run = begun(engine, delay("gone", "PT1H"), end(), alter=of_no_kind)
    engine.jump(hours=1)
    assert_failed(run, "node_unreadable", node="gone")


def test_what_does_not_pass_it_goes_on(engine: Harness) -> None:
    """Also through a join: its way is known by the nodes that can be read."""
    split = fan_out("split", a="ask", b="gone")
    nodes = [split, wait_event("ask", "go", next="j"), edit("gone", output=1, next="j")]
    run = begun(engine, *nodes, fan_in("j"), end(output={}), alter=of_no_kind)
    engine.send("go")
    assert_completed(run)


def test_what_is_checked_only_today_does_not_count(engine: Harness) -> None:
    """A condition that no publish would let through today, behind a wait of long ago."""

    def misspell(node: dict[str, Any]) -> None:
        node["choices"][0]["when"] = "nonsense("

    ways = (wait_event("ask", "go"), switch("gone", "end", never="false"), edit("never"), end())
    run = begun(engine, *ways, alter=misspell)
    with pytest.raises(DefinitionError):
        services.publish(json.dumps(WorkflowVersion.objects.get().document))
    engine.send("go")
    assert_failed(run, "expression_error", node="gone")


def test_a_run_with_such_a_node_can_be_cancelled(engine: Harness) -> None:
    run = begun(engine, delay("gone", "PT1H"), end(), alter=of_no_kind)
    services.cancel(run.pk, compensate=True)
    assert engine.result(run).status == "cancelled"
