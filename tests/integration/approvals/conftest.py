"""People with names, and requests that they are asked."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User

from approvals import services
from approvals.models import ApprovalRequest
from tests.integration.approvals.asking import Ask, Clock, Engine, People
from workflows.clock import use_clock
from workflows.models import Run, Workflow, WorkflowVersion


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    notebook = Engine()
    monkeypatch.setattr("workflows.services.lock_run", notebook.lock_run)
    monkeypatch.setattr("workflows.services.resolve", notebook.resolve)
    return notebook


@pytest.fixture
def clock() -> Iterator[Clock]:
    moved = Clock()
    with use_clock(moved):
        yield moved


@pytest.fixture
def people(db: None) -> People:
    groups = {name: Group.objects.create(name=name) for name in ("legal", "security")}
    users = {
        name: User.objects.create(username=name)
        for name in ("alice", "lena", "liam", "sam", "charlie")
    }
    for name, group in [("alice", "legal"), ("lena", "legal"), ("liam", "legal")]:
        users[name].groups.add(groups[group])
    users["sam"].groups.add(groups["security"])
    return People(**users)


@pytest.fixture
def run(people: People, clock: Clock) -> Run:
    workflow = Workflow.objects.create(name="refund", created_at=clock.now)
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, digest="d", document={}, published_at=clock.now
    )
    return Run.objects.create(
        version=version,
        workflow_name="refund",
        input={},
        started_by=people.alice,
        created_at=clock.now,
    )


@pytest.fixture
def ask(run: Run, engine: Engine) -> Ask:
    """Open a request as the engine would, at a run that Alice started."""

    def open_one(**fields: Any) -> ApprovalRequest:
        chosen = {"groups": ["legal"], "title": "Refund order 7", **fields}
        question = services.Question(run_id=str(run.pk), workflow="refund", node="ask", **chosen)
        return services.open_request(str(uuid4()), question)

    return open_one
