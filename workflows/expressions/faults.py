"""What goes wrong inside an evaluation, before it becomes an ExpressionError with its place.

Messages never contain data: they speak of types, and of names that stand in the expression.
"""


class FaultError(Exception):
    """An operation that cannot be done; `at` is the place in the source, from 0."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class AbsentError(FaultError):
    """Something was read that is not there: what `default`, `has` and `empty` cope with."""
