"""Every JSON Schema is one."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.definition.schema_check import check_schema
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each thing in a schema that is refused."""
    for field in draft.fields("schema"):
        for inside, message in check_schema(field.value):
            yield draft.field_problem("schema_invalid", message, of=field, inside=inside)
