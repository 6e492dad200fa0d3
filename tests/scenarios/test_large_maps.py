"""Ten thousand of a kind in one map."""

import pytest

from tests.support.builder import each, edit, end, gosub, workflow
from tests.support.invariants import assert_invariants
from workflows.models import NodeExecution, Run, Suspension
from workflows.testing import Harness, assert_at_rest, assert_completed

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COUNT = 10_000
KEPT = {"output": "${output}"}


def test_ten_thousand_items_are_one_map(engine: Harness) -> None:
    """Contract: 10,000 items in one map are normal use."""
    double = edit("double", output="${item * 2}", next=None)
    engine.publish(workflow("wide", each("m", "double", next="end"), double, end(output=KEPT)))
    run = engine.run("wide", {"items": list(range(COUNT))})
    assert_completed(run, {"output": [item * 2 for item in range(COUNT)]})
    assert NodeExecution.objects.filter(run=run, node="double").count() == COUNT
    assert_at_rest(run)


def test_ten_thousand_children_are_one_map(engine: Harness) -> None:
    """Contract: 10,000 items in one map are normal use."""
    engine.publish(workflow("one", edit("double", n="${n * 2}"), end()))
    call = gosub("call", "one", input={"n": "${item}"}, output={"output": "${child.output.n}"})
    parts = each("m", "call", next="end")
    engine.publish(workflow("wide", parts, {**call, "next": None}, end(output=KEPT)))
    run = engine.run("wide", {"items": list(range(COUNT))})
    assert_completed(run, {"output": [item * 2 for item in range(COUNT)]})
    assert Run.objects.filter(parent=run, status="completed").count() == COUNT
    asked = Suspension.objects.filter(run=run, state="resolved", resolved_by="child")
    assert asked.values("thread").distinct().count() == COUNT
    assert NodeExecution.objects.filter(run=run, node="call").count() == COUNT
    assert_at_rest(run)
    assert_invariants()
