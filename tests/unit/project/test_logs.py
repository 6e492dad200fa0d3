"""What the log leaves out: a slot that gives way, and nothing else."""

import logging

import pytest
from celery.app.trace import TraceInfo
from celery.exceptions import Reject
from django.conf import settings

from project.celery import app
from project.logs import WithoutHandOver
from workflows.dispatch.celery import GIVES_WAY


def said_by_celery(error: Exception, caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Return the record that Celery itself makes when a task raises this."""
    task = app.tasks["celery.map"]  # any task: Celery says it alike for all
    try:
        raise error
    except Reject:
        TraceInfo("REJECTED", error).handle_reject(task, task.request)
    return caplog.records[-1]


def test_a_slot_that_gives_way_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    record = said_by_celery(Reject(GIVES_WAY, requeue=True), caplog)
    assert record.levelno == logging.WARNING
    assert not WithoutHandOver().filter(record)


def test_other_rejections_and_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert WithoutHandOver().filter(said_by_celery(Reject("broken", requeue=False), caplog))
    plain = logging.LogRecord("celery", logging.WARNING, "f", 1, GIVES_WAY, (), None)
    assert WithoutHandOver().filter(plain)


def test_the_filter_is_in_front_of_every_line() -> None:
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["without_hand_over"]
