"""What people are told of a run: who can end what its children wait for, and what was undone."""

import pytest

from tests.integration.cli.calling import call
from tests.support.builder import activity, end, gosub, workflow
from tests.support.undoing import compensate, do
from workflows.selectors.waits import open_waits
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

ASK = {"id": "ask", "type": "user_input", "prompt": "How many?", "to": {"groups": ["legal"]}}


def test_a_wait_for_a_child_names_who_is_asked_in_there(engine: Harness) -> None:
    engine.publish(workflow("inner", ASK, end()))
    engine.publish(workflow("middle", gosub("down", "inner"), end()))
    engine.publish(workflow("outer", gosub("call", "middle"), end()))
    run = engine.run("outer")
    (wait,) = open_waits(run)
    assert wait.what.endswith("of workflow 'middle'")
    assert wait.who == "members of legal (at 'ask' of 'inner')"


def test_the_history_names_the_step_that_was_undone(engine: Harness) -> None:
    refused = activity("refused", "test.refuse", on_error="undo", next="end")
    engine.publish(workflow("saga", do("book"), refused, compensate(next="end"), end()))
    run = engine.run("saga")
    said = call("show", str(run.pk), "--history")
    assert said.code == 0
    assert "compensate book" in said.out
