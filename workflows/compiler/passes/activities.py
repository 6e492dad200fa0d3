"""Every activity is registered."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each activity that no app has registered."""
    if draft.activities is None:
        return
    known = set(draft.activities)
    for field in draft.fields("activity"):
        if field.value not in known:
            hint = (
                draft.nearest.suggest("activity", field.value, known)
                or "; register it in an app's workflow_activities.py"
            )
            message = f"unknown activity {field.value!r}{hint}"
            yield draft.field_problem("unknown_activity", message, of=field)
