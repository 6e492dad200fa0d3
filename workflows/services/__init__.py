"""The public verbs: one function, one transaction each. Admin, API, CLI and beat call these."""

from workflows.definition.schema_check import validate_value
from workflows.services.after import deliver_left, join_group
from workflows.services.answers import answer
from workflows.services.definitions import (
    Published,
    calls_in,
    contents_of,
    name_in,
    publish,
    validate,
)
from workflows.services.events import Receipt, resolve, send_event
from workflows.services.groups import change_group
from workflows.services.questions import Answered, answer_question
from workflows.services.runs import Started, cancel, lock_run, start
from workflows.services.sweeping import Swept
from workflows.services.sweeping import sweep_once as sweep
from workflows.services.task_calls import end_task
from workflows.services.waiting import wait_for
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
    "Answered",
    "Published",
    "Receipt",
    "Started",
    "Swept",
    "Worked",
    "answer",
    "answer_question",
    "begin_slot",
    "calls_in",
    "cancel",
    "change_group",
    "contents_of",
    "deliver_left",
    "end_slot",
    "end_task",
    "help_group",
    "join_group",
    "lock_run",
    "name_in",
    "pass_slot",
    "publish",
    "resolve",
    "send_event",
    "start",
    "sweep",
    "validate",
    "validate_value",
    "wait_for",
    "work_group",
    "work_thread",
]
