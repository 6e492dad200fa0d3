"""Every queue is known."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each queue that is not set up."""
    if draft.queues is None:
        return
    known = set(draft.queues)
    for field in draft.fields("queue"):
        if field.value not in known:
            hint = (
                draft.nearest.suggest("queue", field.value, known)
                or f"; known are: {', '.join(sorted(known))}"
            )
            message = f"unknown queue {field.value!r}{hint}"
            yield draft.field_problem("unknown_queue", message, of=field)
