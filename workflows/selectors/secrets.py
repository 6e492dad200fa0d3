"""Which secrets there are, and which are named; their values are for workers only."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from workflows.compiler.plan import Plan
from workflows.engine.plans import load_plan
from workflows.errors import DefinitionError
from workflows.models import Secret, WorkflowVersion
from workflows.selectors.definitions import newest_versions


@dataclass(frozen=True, slots=True)
class Named:
    """A place in a definition that names a secret; `pointer` leads there from the node."""

    workflow: str
    node: str
    pointer: str
    secret: str


def secrets() -> QuerySet[Secret]:
    """Return the secrets by name, without what is kept of their values."""
    return Secret.objects.defer("sealed").select_related("updated_by")


def named_in(plan: Plan) -> list[Named]:
    """Return every place in a workflow that names a secret."""
    name = plan.definition.workflow
    return [
        Named(name, node.id, pointer, secret)
        for node in plan.nodes.values()
        for pointer, secret in node.kind.secrets(node.config).items()
    ]


def missing_of(named: Collection[Named]) -> tuple[list[Named], set[str]]:
    """Return the places whose secret is not kept, and the names of those that are."""
    if not named:
        return [], set()
    known = set(Secret.objects.values_list("name", flat=True))
    return [each for each in named if each.secret not in known], known


def missing_secrets() -> list[Named]:
    """Return the places in the newest versions of all workflows whose secret is not kept."""
    named: list[Named] = []
    for version in newest_versions():
        named += _named_by(version)
    return missing_of(named)[0]


def _named_by(version: WorkflowVersion) -> list[Named]:
    try:
        return named_in(load_plan(version.pk, version.digest))
    except DefinitionError:  # code that is gone; whoever starts it is told
        return []
