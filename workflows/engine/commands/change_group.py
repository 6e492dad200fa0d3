"""Somebody changes how many parts of an open group may live at once, or may fail."""

from typing import Any
from uuid import UUID

from workflows import conf
from workflows.engine.hints import GroupWidened, Hint
from workflows.engine.joining import look_at
from workflows.models import Run
from workflows.store import groups, runs


def apply(run: Run, group_id: UUID, changes: dict[str, Any]) -> list[Hint] | None:
    """Change a group of a locked run, and do at once what follows; None when it is over.

    A window that is made smaller stops nothing: places that are left are not taken again. More
    failures than are tolerated now fail the group.
    """
    group = groups.lock_group(group_id)
    if group is None:
        return None
    groups.change(group, **changes)
    hints = look_at(run, group, has_failed=True) if "tolerate" in changes else []
    if not hints and "parallel" in changes and groups.is_startable(group_id):
        runs.wake(run)
        slots = min(group.expected, conf.settings().slots)
        hints.append(GroupWidened(group_id, group.queue, slots))
    return hints
