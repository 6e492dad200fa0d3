"""Compile a text, and see what is said about it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from workflows.compiler.compile import Compiled, compile_document
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError, Problem
from workflows.nodes.registry import kinds

HEAD = "workflow: w\nnodes:\n"

Compile = Callable[..., Compiled]
Problems = Callable[..., list[Problem]]


@pytest.fixture
def compiled() -> Compile:
    """Compile a whole document, or only its nodes."""

    def do(
        text: str,
        *,
        activities: Collection[str] | None = None,
        queues: Collection[str] | None = None,
        workflows: Mapping[str, int] | None = None,
    ) -> Compiled:
        whole = text if "nodes:" in text else HEAD + text
        document = read_document(whole, source="w.yaml")
        return compile_document(
            document, kinds=kinds(), activities=activities, queues=queues, workflows=workflows
        )

    return do


@pytest.fixture
def problems(compiled: Compile) -> Problems:
    """Return the problems of a document, none if it is sound."""

    def do(text: str, **known: Any) -> list[Problem]:
        try:
            compiled(text, **known)
        except DefinitionError as error:
            return error.problems
        return []

    return do
