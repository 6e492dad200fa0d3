"""Every path is a path, and none is blank."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.context.paths import parse_path
from workflows.errors import PathError, Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each path that is refused."""
    for field in draft.fields("path"):
        try:
            parse_path(field.value)
        except PathError as error:
            yield draft.field_problem("path_invalid", error.message + field.hint, of=field)
