"""Warns of Celery tasks that are not registered in this code base."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem, suggest


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each task that is registered nowhere here.

    It is no error: the task may belong to another code base that listens to the same broker.
    """
    if draft.tasks is None:
        return
    for field in draft.fields("task"):
        if field.value not in draft.tasks:
            hint = suggest(field.value, set(draft.tasks)) or "; is it one of another code base?"
            message = f"no task {field.value!r} is registered here{hint}"
            yield draft.field_problem("unknown_task", message, of=field, severity="warning")
