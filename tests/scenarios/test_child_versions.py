"""Which version a child runs: pinned with the first run of its family, or named."""

import pytest

from tests.support.assertions import (
    assert_completed,
    assert_failed,
)
from tests.support.builder import (
    edit,
    end,
    gosub,
    wait_event,
    workflow,
)
from tests.support.families import FACTORIAL, family
from workflows.errors import DefinitionError
from workflows.models import Workflow, WorkflowVersion
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_the_versions_of_a_family_are_pinned_when_its_first_run_starts(engine: Harness) -> None:
    """Contract: pins every workflow that a `gosub` names by version when the run starts."""
    for number in (1, 2):
        engine.publish(workflow("leaf", edit("n", leaf=number), end()))
    engine.publish(workflow("branch", wait_event("ask", "go"), gosub("call", "leaf"), end()))
    engine.publish(workflow("main", gosub("call", "branch"), end(output={"leaf": "${leaf}"})))
    run = engine.start("main")
    engine.drain()
    engine.publish(workflow("leaf", edit("n", leaf=3), end()))
    newer = engine.start("main")
    engine.drain()
    engine.send("go", deliver="all")
    assert_completed(run, {"leaf": 2})
    assert_completed(newer, {"leaf": 3})
    pinned = {name: version for name, (version, _) in engine.result(run).pins.items()}
    assert set(pinned) == {"main", "branch", "leaf"}
    assert all(each.pins == engine.result(run).pins for each in family(run))


def test_a_version_that_is_named_is_that_one(engine: Harness) -> None:
    for number in (1, 2, 3):
        engine.publish(workflow("leaf", edit("n", leaf=number), end()))
    engine.publish(workflow("main", gosub("call", "leaf", version=2), end()))
    assert_completed(engine.run("main"), {"leaf": 2})


def test_an_older_version_that_calls_itself_stays_itself(engine: Harness) -> None:
    engine.publish(FACTORIAL)
    other = end("done", output={"value": "other"})
    nodes = [other if node["id"] == "done" else node for node in FACTORIAL["nodes"]]
    engine.publish({**FACTORIAL, "nodes": nodes})
    assert_completed(engine.run("factorial", {"n": 4}, version=1), {"value": 24})
    assert_completed(engine.run("factorial", {"n": 4}), {"value": "other"})
    engine.publish(workflow("main", gosub("call", "factorial", version=1), end()))
    assert engine.result(engine.run("main", {"n": 4})).output["value"] == 24


def test_an_unknown_workflow_is_refused_when_it_is_published(engine: Harness) -> None:
    """Contract: Refused at publish: unknown workflow."""
    engine.publish(workflow("refund", end()))
    with pytest.raises(DefinitionError, match="did you mean 'refund'"):
        engine.publish(workflow("main", gosub("call", "refunt"), end()))


def test_a_workflow_that_was_there_when_it_was_published_and_is_not_now(engine: Harness) -> None:
    engine.publish(workflow("sub", end()))
    engine.publish(workflow("main", gosub("call", "sub"), end()))
    WorkflowVersion.objects.filter(workflow__name="sub").delete()
    Workflow.objects.filter(name="sub").delete()
    run = engine.run("main")
    assert_failed(run, "not_found", "call")
