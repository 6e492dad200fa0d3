"""Publishing versions of workflows."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from workflows import conf
from workflows.activities import nameable
from workflows.compiler.compile import Compiled, compile_document
from workflows.definition.parse import read_document
from workflows.errors import Problem
from workflows.models import WorkflowVersion
from workflows.nodes.registry import kinds
from workflows.store import definitions


@dataclass(frozen=True, slots=True)
class Published:
    """A version, whether it is new, and what the compiler warned of."""

    version: WorkflowVersion
    is_new: bool
    warnings: list[Problem]


def validate(text: str, *, source: str = "<string>") -> Compiled:
    """Compile a definition without publishing it. Raises DefinitionError with every problem."""
    queues = {*conf.settings().queues, conf.settings().default_queue}
    document = read_document(text, source=source)
    return compile_document(document, kinds=kinds(), activities=nameable(), queues=queues)


def publish(
    text: str, *, source: str = "<string>", by: AbstractBaseUser | None = None
) -> Published:
    """Store a definition as an immutable version; the same content again is a no-op.

    Raises:
        DefinitionError: with every problem of the document.
    """
    compiled = validate(text, source=source)
    definition = compiled.plan.definition
    document: Any = read_document(text, source=source).value
    with transaction.atomic():
        version, is_new = definitions.insert_version(
            definition.workflow,
            title=definition.title,
            digest=compiled.plan.digest,
            document=document,
            user_id=by.pk if by is not None else None,
        )
    return Published(version, is_new, list(compiled.warnings))
