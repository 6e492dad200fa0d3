"""Logs: one JSON object a line on standard error, from structlog and the standard library alike.

Quiet by default: what other packages say below a warning is left out.
"""

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from celery.exceptions import Reject

from workflows.dispatch.celery import GIVES_WAY

_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "api_key")
_HIDDEN = "(hidden)"


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = _HIDDEN
    return event


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _hide_secrets,
]


class WithoutHandOver(logging.Filter):
    """Drops what Celery says, with a traceback, when a slot gives way: that is normal work."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        # A process of the pool wraps what a task raises, for its way to the worker.
        error = getattr(error, "exc", error)
        return not (isinstance(error, Reject) and error.args[:1] == (GIVES_WAY,))


def configure_structlog() -> None:
    """Send what structlog loggers say through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def django_logging(level: str) -> dict[str, Any]:
    """Return Django's LOGGING; `level` is for our own loggers, the others speak from WARNING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            },
        },
        "filters": {"without_hand_over": {"()": WithoutHandOver}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "filters": ["without_hand_over"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": level} for name in ("workflows", "approvals", "project")},
    }
