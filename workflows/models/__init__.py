"""Tables, and nothing else: rows are written by the store only."""

from workflows.models.contents import Content, StoredText
from workflows.models.control import IdempotencyRecord, Lease, QueueState
from workflows.models.definitions import Workflow, WorkflowVersion
from workflows.models.events import Candidate, Event
from workflows.models.groups import Slot, ThreadGroup
from workflows.models.history import NodeExecution
from workflows.models.locks import LockClaim
from workflows.models.runs import Run, Thread
from workflows.models.secrets import Secret
from workflows.models.suspensions import Question, QuestionAddressee, Suspension

__all__ = [
    "Candidate",
    "Content",
    "Event",
    "IdempotencyRecord",
    "Lease",
    "LockClaim",
    "NodeExecution",
    "Question",
    "QuestionAddressee",
    "QueueState",
    "Run",
    "Secret",
    "Slot",
    "StoredText",
    "Suspension",
    "Thread",
    "ThreadGroup",
    "Workflow",
    "WorkflowVersion",
]
