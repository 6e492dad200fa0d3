"""The graph of a run: what leads back to loops, locks and splits is drawn as well."""

from typing import Any

import pytest

from tests.support.builder import batch, delay, each, edit, end, fan_in, fan_out, race, workflow
from tests.support.locking import inside_of, lock
from workflows.admin.graph import Graph, graph_of
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


def drawn(engine: Harness, definition: dict[str, Any], **data: Any) -> Graph:
    engine.publish(definition)
    graph = graph_of(engine.run(definition["workflow"], data))
    assert graph is not None
    return graph


def upward(graph: Graph) -> dict[tuple[str, str], bool]:
    """Return the arrows that lead back up, and whether a thread has gone along each."""
    places = {box.id: box.y for box in graph.boxes}
    lines = [(line, taken) for line, taken in graph.lines if line.source != line.target]
    return {
        (line.source, line.target): taken
        for line, taken in lines
        if places[line.source] > places[line.target]
    }


def loop(id_: str, body: str, **fields: Any) -> dict[str, Any]:
    fields = {"while": "loop.index < 2", "max_iterations": 5, **fields}
    return {"id": id_, "type": "loop", "body": body, **fields}


def test_bodies_lead_back_to_their_loop_and_lock(engine: Harness) -> None:
    inner = [loop("again", "twice", next=None), edit("twice", next=None)]
    graph = drawn(engine, inside_of(*inner))
    assert upward(graph) == {("twice", "again"): True, ("again", "lock"): True}


def test_an_edge_that_is_written_is_drawn_once(engine: Harness) -> None:
    graph = drawn(engine, inside_of(edit("one"), edit("two", next="lock")))
    assert upward(graph) == {("two", "lock"): True}


def test_what_was_not_gone_through_is_not_taken(engine: Harness) -> None:
    nodes = [loop("again", "twice", next="end"), edit("twice", next=None), end()]
    nodes[0]["while"] = "false"
    assert upward(drawn(engine, workflow("never", *nodes))) == {("twice", "again"): False}


@pytest.mark.parametrize("split", [each, batch])
def test_items_and_slices_lead_back_to_their_split(engine: Harness, split: Any) -> None:
    nodes = [split("many", "work"), end(), edit("work", next="more"), edit("more", next=None)]
    graph = drawn(engine, workflow("rows", *nodes), items=[1, 2])
    assert upward(graph) == {("more", "many"): True}


def test_racers_lead_back_to_their_race(engine: Harness) -> None:
    nodes = [race("first", next="end", a="a", b="b"), delay("a", "PT1S", next=None)]
    nodes += [delay("b", "P1D", next=None), end()]
    graph = drawn(engine, workflow("races", *nodes))
    assert upward(graph) == {("a", "first"): True, ("b", "first"): False}


def test_the_innermost_is_meant_and_branches_that_meet_lead_on(engine: Harness) -> None:
    nodes = [
        loop("again", "split", next="end"),
        fan_out("split", a="a", b="many"),
        edit("a", next="join"),
        each("many", "work", next="join"),
        edit("work", next=None),
        fan_in("join", next=None),
        end(),
    ]
    graph = drawn(engine, workflow("nested", *nodes), items=[1])
    assert upward(graph) == {("work", "many"): True, ("join", "again"): True}


def test_a_lock_alone_at_the_end_of_a_body(engine: Harness) -> None:
    nodes = [lock("held", body="one", next=None), edit("one", next=None)]
    graph = drawn(engine, inside_of(*nodes, lock="other"))
    assert upward(graph) == {("one", "held"): True, ("held", "lock"): True}
