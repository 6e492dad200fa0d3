"""Families of runs, for tests: a run, its children, and theirs."""

from typing import Any

from django.db.models import Q

from tests.support.builder import end, gosub, switch, workflow
from workflows.models import Run
from workflows.testing import Harness

FACTORIAL = workflow(
    "factorial",
    switch("more", "one", less="n > 1"),
    gosub("less", "factorial", input={"n": "${n - 1}"}, output={"below": "${child.output.value}"}),
    end("done", output={"value": "${n * below}"}),
    end("one", output={"value": 1}),
)


def child_of(run: Run) -> Run:
    """Return the one child of a run."""
    return Run.objects.get(parent=run)


def family(run: Run) -> list[Run]:
    """Return a run and all below it, the highest first."""
    rows = Run.objects.filter(Q(pk=run.pk) | Q(root_id=run.pk))
    return list(rows.order_by("depth", "created_at"))


def call(child: dict[str, Any], engine: Harness, data: dict[str, Any], **fields: Any) -> Run:
    """Run a workflow that does nothing but call `child`."""
    engine.publish(child)
    engine.publish(workflow("main", gosub("call", child["workflow"], **fields), end()))
    return engine.run("main", data)
