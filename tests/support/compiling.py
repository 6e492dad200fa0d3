"""Definitions as values instead of texts, compiled."""

from typing import Any

from workflows.compiler.compile import Compiled, compile_document
from workflows.definition.parse import Document


def compile_value(value: Any, **known: Any) -> Compiled:
    """Compile a definition that is JSON already; its problems have pointers, but no lines."""
    return compile_document(Document(value, "definition"), **known)
