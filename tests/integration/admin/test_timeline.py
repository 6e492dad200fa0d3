"""What the page of a run tells of time: what ran, what slept, and what waited for a worker."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rich.console import Console

from tests.support.undoing import do
from workflows import services
from workflows.admin.graph import graph_of
from workflows.admin.run_page import page_of
from workflows.admin.timeline import Step, timeline_of
from workflows.management.runs import draw_history, draw_run
from workflows.models import NodeExecution, Run
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


def rests(name: str, length: str, to: str) -> dict[str, Any]:
    return {"id": name, "type": "delay", "for": length, "next": to}


def fan(**join: Any) -> dict[str, Any]:
    """Three branches that sleep for 1 s, 2 s and an hour."""
    return {
        "workflow": "fan",
        "nodes": [
            {"id": "start", "type": "start", "next": "split"},
            {"id": "split", "type": "fan_out", "branches": [{"name": n, "next": n} for n in "abc"]},
            rests("a", "PT1S", "join"),
            rests("b", "PT2S", "join"),
            rests("c", "PT1H", "join"),
            {"id": "join", "type": "fan_in", "next": "done", **join},
            {"id": "done", "type": "end"},
        ],
    }


def steps_of(run: Run, engine: Harness, node: str) -> list[Step]:
    return [each for each in timeline_of(run, engine.clock()).steps if each.node == node]


def drawn(draw: Any, run: Run) -> str:
    out = StringIO()
    draw(Console(file=out, width=300), run)
    return out.getvalue()


def test_a_join_sleeps_until_its_branches_arrive(engine: Harness) -> None:
    engine.publish(fan(wait_for=2))
    run = engine.run("fan")
    row = NodeExecution.objects.get(run=run, node="join")
    assert row.queued_at == row.started_at == row.ended_at
    (step,) = steps_of(run, engine, "join")
    assert [bar.told for bar in step.bars] == ["asleep 2.0 s", "ran 0 ms"]


def test_parts_outside_a_window_wait_for_it_and_not_for_a_worker(engine: Harness) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "each"},
        {"id": "each", "type": "map", "items": "rows", "parallel": 1, "process": "rest",
         "next": "done"},
        {"id": "rest", "type": "delay", "for": "PT3M"},
        {"id": "done", "type": "end"},
    ]  # fmt: skip
    engine.publish({"workflow": "rows", "nodes": nodes})
    run = engine.run("rows", {"rows": [1, 2, 3]})
    told = [[bar.told for bar in step.bars] for step in steps_of(run, engine, "rest")]
    assert [[bar for bar in bars if "asleep" not in bar and "ran" not in bar] for bars in told] == [
        [], ["waited for its window 3 min"], ["waited for its window 6 min"],
    ]  # fmt: skip
    rows = NodeExecution.objects.filter(run=run)
    assert all(row.started_at - row.queued_at < timedelta(seconds=1) for row in rows)


def test_a_wait_that_a_join_cancelled_is_shown(engine: Harness) -> None:
    engine.publish(fan(wait_for=2))
    run = engine.run("fan")
    (step,) = steps_of(run, engine, "c")
    assert (step.status, step.kind, step.told) == ("cancelled", "waited for its time", "2.0 s")
    graph = graph_of(run)
    assert graph is not None
    (box,) = (box for box in graph.boxes if box.id == "c")
    assert (box.state, box.note) == ("cancelled", "1 cancelled")
    (line,) = (line for line in drawn(draw_history, run).splitlines() if "asleep" in line)
    assert "cancelled" in line
    assert "2.0 s asleep" in line


def test_waits_of_a_cancelled_run_are_shown(engine: Harness) -> None:
    engine.publish(fan())
    run = engine.start("fan")
    engine.drain()
    services.cancel(run.pk, reason="", by=None)
    run = engine.result(run)
    for node in ("a", "b", "c", "split"):
        assert [each.status for each in steps_of(run, engine, node)][-1] == "cancelled"


def test_a_partial_join_tells_who_arrived_and_who_was_cancelled(engine: Harness) -> None:
    engine.publish(fan(wait_for=2))
    run = engine.run("fan")
    (group,) = page_of(run).groups
    assert (group.told, group.share) == ("2 arrived, 1 cancelled", 66)
    assert "2 arrived, 1 cancelled" in drawn(draw_run, run)


@pytest.mark.parametrize("first", [do("work", next="rest"), None])
def test_undoing_is_offered_where_a_node_can_be_undone(
    engine: Harness, first: dict[str, Any] | None, admin_client: Client
) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "work" if first else "rest"},
        *([first] if first else []),
        rests("rest", "PT1H", "done"),
        {"id": "done", "type": "end"},
    ]
    engine.publish({"workflow": "undoes", "nodes": nodes})
    run = engine.start("undoes")
    engine.drain()
    html = admin_client.get(reverse("admin:workflows_run_change", args=[run.pk])).content.decode()
    assert "Cancel this run" in html
    assert ('name="compensate"' in html) == (first is not None)


def test_the_list_of_runs_tells_results_and_children(engine: Harness, admin_client: Client) -> None:
    ends = {"id": "done", "type": "end"}
    start = {"id": "start", "type": "start", "next": "done"}
    engine.publish({"workflow": "plain", "nodes": [start, ends]})
    top, below = engine.run("plain"), engine.run("plain")
    Run.objects.filter(pk=below.pk).update(parent=top, result="blocked")
    address = reverse("admin:workflows_run_changelist")
    found = admin_client.get(address, {"result": "blocked"}).content.decode()
    assert "plain (child)" in found
    assert str(top.pk)[:8] not in found.replace(str(below.pk), "")
    assert 'wf-result-blocked">blocked' in found
    assert "plain (child)" not in admin_client.get(address, {"result": "allowed"}).content.decode()
