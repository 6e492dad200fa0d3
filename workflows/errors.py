"""Every error of the engine: one base class, a stable code each, details as fields.

A message says what is wrong, where, why, and what to do. It never contains a run's data.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, ClassVar


class CeleriacError(Exception):
    """Something that Celeriac refuses or could not do."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400  # what the REST API answers with

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document: where it is and what was expected."""

    code: str
    message: str
    pointer: str = ""
    line: int | None = None
    column: int | None = None
    severity: str = "error"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class DefinitionError(CeleriacError):
    """A definition document was refused; `problems` has every reason at once.

    `warnings` has what else its author should know.
    """

    code = "definition_invalid"
    status = 422

    def __init__(
        self, message: str, problems: list[Problem], warnings: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message, problems=[problem.as_dict() for problem in problems])
        self.problems = problems
        self.warnings = warnings


class ValueRefusedError(CeleriacError):
    """A value that is not plain, bounded JSON; `pointer` leads to the spot."""

    code = "value_refused"
    status = 422

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message, pointer=pointer)
        self.pointer = pointer


class InputRefusedError(CeleriacError):
    """Input, event data or a form that does not fit its JSON Schema."""

    code = "input_invalid"
    status = 422

    def __init__(self, message: str, problems: list[Problem]) -> None:
        super().__init__(message, problems=[problem.as_dict() for problem in problems])
        self.problems = problems


class PathError(CeleriacError):
    """A path is malformed, blank, or cannot be set in this context."""

    code = "path_invalid"


class ExpressionError(CeleriacError):
    """An expression does not parse, or failed; the text never contains data."""

    code = "expression_error"

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, **details: Any
    ) -> None:
        super().__init__(message, line=line, column=column, **details)
        self.line = line
        self.column = column


class ExpressionLimitError(ExpressionError):
    """An expression was stopped because it is too long, too deep, too slow or too large."""

    code = "expression_limit"


class NodeError(CeleriacError):
    """A node failed: `code` is what `retry.on` and `on_error` see."""

    code = "node_error"

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.failure = code


class NotFoundError(CeleriacError):
    """There is no such thing, or you may not see it."""

    code = "not_found"
    status = 404


class ConflictError(CeleriacError):
    """The thing is no longer in the state that this needs; the details say who was first."""

    code = "conflict"
    status = 409


class KeyReusedError(CeleriacError):
    """The same idempotency key came with another body."""

    code = "key_reused"
    status = 422


class PermissionRefusedError(CeleriacError):
    """You are not allowed to do this; the message names the permission or rule in the way."""

    code = "permission_refused"
    status = 403


class ContentLostError(CeleriacError):
    """A large context is not in its storage any more, or was changed there; its run fails."""

    code = "content_lost"
    status = 500


class ContentUnreachableError(CeleriacError):
    """The storage of large contexts does not answer; what needs it is tried again."""

    code = "content_unreachable"
    status = 503


class ConfigurationError(CeleriacError):
    """A setting or an environment variable is wrong, or a server cannot be reached."""

    code = "configuration"
    status = 500


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest, if one is near."""
    return next(iter(get_close_matches(name, sorted(known), n=1)), None)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ' (did you mean ...?)' with the nearest known name, or nothing."""
    near = nearest(name, known)
    return f" (did you mean {near!r}?)" if near is not None else ""
