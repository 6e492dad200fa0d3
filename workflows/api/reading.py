"""Reads bodies and query parameters with serializers: every problem at once, unknown names too."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer

from workflows.api.problems import field_errors
from workflows.errors import CeleriacError, InputRefusedError, Problem, suggest

PAGING = frozenset({"cursor", "limit"})


class QueryRefusedError(CeleriacError):
    """A query parameter is unknown, given twice, or has a value that it cannot have."""

    code = "query_invalid"
    status = 400

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(_summary(problems), problems=[one.as_dict() for one in problems])


def read_body(kind: type[Serializer[Any]], data: Any, *, at: str = "") -> dict[str, Any]:
    """Return the checked fields of a JSON body.

    Args:
        kind: its fields.
        data: the parsed body.
        at: JSON pointer of `data`, when it is a part of the body.

    Raises:
        InputRefusedError: with a pointer to each field that is wrong, missing or unknown.
    """
    if not isinstance(data, Mapping):
        problems = [Problem("input_type", "Must be an object.", at)]
    else:
        fields = kind(data=data)
        fields.is_valid()
        known = set(fields.fields)
        problems = [_unknown("field", name, known, at) for name in data if name not in known]
        problems += _mistakes(fields, at)
        if not problems:
            return dict(fields.validated_data)
    raise InputRefusedError(_summary(problems), problems)


def read_query(kind: type[Serializer[Any]] | None, request: Request) -> dict[str, Any]:
    """Return the checked query parameters of a list, without those of its pages.

    Raises:
        QueryRefusedError: with each parameter that is wrong or unknown.
    """
    given = request.query_params
    fields = kind(data=given.dict()) if kind is not None else None
    known = {*PAGING, *(fields.fields if fields is not None else ())}
    problems = [_unknown("parameter", name, known, "") for name in given if name not in known]
    problems += [
        Problem("given_twice", "Can be given only once.", f"/{name}")
        for name, values in given.lists()
        if len(values) > 1
    ]
    if fields is not None and not fields.is_valid():
        problems += _mistakes(fields, "")
    if problems:
        raise QueryRefusedError(problems)
    return dict(fields.validated_data) if fields is not None else {}


def _unknown(what: str, name: str, known: set[str], at: str) -> Problem:
    message = f"Unknown {what} {name[:80]!r}{suggest(name[:80], known)}."
    return Problem(f"unknown_{what}", message, f"{at}/{name[:80]}")


def _mistakes(fields: Serializer[Any], at: str) -> list[Problem]:
    return [
        Problem(error["code"], error["message"], f"{at}{error['pointer']}")
        for error in field_errors(fields.errors)
    ]


def _summary(problems: list[Problem]) -> str:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{first.pointer or '/'}: {first.message}{more}"
