"""Reads bodies: strict, bounded JSON, or a definition as text."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import IO, Any

from rest_framework.parsers import BaseParser

from workflows import conf
from workflows.api.problems import BodyTooLargeError, MalformedBodyError
from workflows.context.values import loads
from workflows.errors import ValueRefusedError


class StrictJSONParser(BaseParser):
    """JSON as contexts may hold it: no NaN, no key twice, 64 bit integers, 64 levels."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = conf.settings().max_value_bytes
        body = _read(stream, limit, parser_context or {})
        try:
            return loads(body, max_bytes=limit)
        except ValueRefusedError as error:
            # The engine calls both a refused value; to HTTP, what is no JSON is another thing.
            if isinstance(error.__context__, JSONDecodeError):
                at = error.__context__
                place = {"line": at.lineno, "column": at.colno}
                raise MalformedBodyError(error.message, pointer="", **place) from None
            if isinstance(error.__context__, UnicodeDecodeError):
                raise MalformedBodyError(error.message) from None
            raise


class CloudEventParser(StrictJSONParser):
    """A CloudEvent in the structured mode."""

    media_type = "application/cloudevents+json"


class CloudEventBatchParser(StrictJSONParser):
    """Several CloudEvents."""

    media_type = "application/cloudevents-batch+json"


class YAMLTextParser(BaseParser):
    """A definition in YAML: kept as text, so that messages can name lines."""

    media_type = "application/yaml"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = _read(stream, conf.settings().max_value_bytes, parser_context or {})
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            message = f"The document is not UTF-8 at byte {error.start}."
            raise MalformedBodyError(message) from None


class JSONTextParser(YAMLTextParser):
    """A definition in JSON, kept as text."""

    media_type = "application/json"


def _read(stream: IO[Any], limit: int, context: Mapping[str, Any]) -> bytes:
    """Return the body; one that says that it is too large is not even read."""
    said = context["request"].META.get("CONTENT_LENGTH", "") if "request" in context else ""
    body: bytes = b""
    is_too_large = said.isdecimal() and int(said) > limit
    if not is_too_large:
        body = stream.read(limit + 1)
        is_too_large = len(body) > limit
    if is_too_large:
        message = f"The body is larger than the limit of {limit:,} bytes."
        raise BodyTooLargeError(message, limit=limit)
    return body
