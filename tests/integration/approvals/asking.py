"""Who asks and who is asked in these tests, and a notebook in the place of the engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from approvals.models import ApprovalRequest

#: Opens a request of Alice's run; takes the fields of a Question.
Ask = Callable[..., ApprovalRequest]

TICKET = {
    "type": "object",
    "properties": {"ticket": {"type": "string", "minLength": 3}},
    "required": ["ticket"],
}


@dataclass
class Engine:
    """What the approvals app asked the engine to do."""

    locked: list[Any] = field(default_factory=list)
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: Exception | None = None

    def lock_run(self, run_id: Any) -> None:
        self.locked.append(run_id)

    def resolve(self, suspension_id: Any, payload: Any, **_answer: str) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.answers.append((str(suspension_id), payload))


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def jump(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class People:
    """Alice starts; Lena and Liam are in legal, Sam in security, Charlie in nothing."""

    alice: User
    lena: User
    liam: User
    sam: User
    charlie: User
