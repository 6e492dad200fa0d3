"""Expressions that ask for too much: they fail their own node, and take no worker with them."""

import time

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_failed
from tests.support.builder import edit, end, workflow
from workflows.expressions.limits import MAX_UNITS
from workflows.models import Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

#: Just within what one evaluation may spend, over 400 items.
HEAVY = "items.all(x, items.all(y, true))"
ITEMS = list(range(400))


def test_a_node_of_400_heavy_entries_is_stopped_as_one(engine: Harness) -> None:
    entries = {f"a{number}": f"${{{HEAVY}}}" for number in range(400)}
    engine.publish(workflow("heavy", edit("many", **entries), end()))
    begin = time.thread_time()
    run = engine.run("heavy", {"items": ITEMS})
    assert time.thread_time() - begin < 2.0  # without a shared budget, half a minute
    assert_failed(run, "expression_limit", "many")
    message = _message(run)
    assert f"{MAX_UNITS} steps were not enough for the expressions of node 'many'" in message
    assert_at_rest(run)


def test_a_node_that_is_stopped_can_be_caught(engine: Harness) -> None:
    entries = {f"a{number}": f"${{{HEAVY}}}" for number in range(400)}
    many = {**edit("many", next="end", **entries), "on_error": "sorry"}
    sorry = edit("sorry", told="${error.code}")
    engine.publish(workflow("heavy", many, sorry, end(output={"told": "${told}"})))
    assert_completed(engine.run("heavy", {"items": ITEMS}), {"told": "expression_limit"})


def test_heavy_nodes_one_after_the_other_are_no_one_s_fault(engine: Harness) -> None:
    nodes = [edit(f"n{number}", a=f"${{{HEAVY}}}") for number in range(5)]
    engine.publish(workflow("heavy", *nodes, end(output={"a": "${a}"})))
    assert_completed(engine.run("heavy", {"items": ITEMS}), {"a": True})


def _message(run: Run) -> str:
    run.refresh_from_db()
    assert run.error is not None
    return str(run.error["message"])
