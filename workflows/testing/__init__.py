"""Tools for testing workflows in process: virtual time, any order, no broker."""

from workflows.dispatch.task_calls import answered_by as answer_tasks
from workflows.testing.harness import Harness

__all__ = ["Harness", "answer_tasks"]
