"""The public verbs: one function, one transaction each. Admin, API, CLI and beat call these."""

from workflows.definition.schema_check import validate_value
from workflows.services.after import join_group
from workflows.services.answers import answer
from workflows.services.definitions import Published, publish, validate
from workflows.services.delivering import deliver_left
from workflows.services.events import Receipt, resolve, send_event
from workflows.services.runs import Started, cancel, lock_run, start
from workflows.services.sweeping import Swept
from workflows.services.sweeping import sweep_once as sweep
from workflows.services.work import (
    LONGEST_PAUSE,
    Worked,
    begin_slot,
    end_slot,
    help_group,
    pass_slot,
    work_group,
    work_thread,
)

__all__ = [
    "LONGEST_PAUSE",
    "Published",
    "Receipt",
    "Started",
    "Swept",
    "Worked",
    "answer",
    "begin_slot",
    "cancel",
    "deliver_left",
    "end_slot",
    "help_group",
    "join_group",
    "lock_run",
    "pass_slot",
    "publish",
    "resolve",
    "send_event",
    "start",
    "sweep",
    "validate",
    "validate_value",
    "work_group",
    "work_thread",
]
