"""The engine in Django's admin: everything can be seen, nothing edited; actions call services."""

from workflows.admin.definitions import WorkflowAdmin, WorkflowVersionAdmin
from workflows.admin.questions import QuestionAdmin
from workflows.admin.rows import (
    EventAdmin,
    LockClaimAdmin,
    NodeExecutionAdmin,
    SuspensionAdmin,
    ThreadAdmin,
    ThreadGroupAdmin,
)
from workflows.admin.runs import RunAdmin
from workflows.admin.secrets import SecretAdmin

__all__ = [
    "EventAdmin",
    "LockClaimAdmin",
    "NodeExecutionAdmin",
    "QuestionAdmin",
    "RunAdmin",
    "SecretAdmin",
    "SuspensionAdmin",
    "ThreadAdmin",
    "ThreadGroupAdmin",
    "WorkflowAdmin",
    "WorkflowVersionAdmin",
]
