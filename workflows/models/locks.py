"""Named locks: who holds them, and who waits for them."""

from django.db import models
from django.db.models import Q

from workflows.models.runs import Run, Thread
from workflows.models.suspensions import Suspension
from workflows.states import LockState


class LockClaim(models.Model):
    """One thread's claim to one lock. Ids are places in the lock's queue.

    It counts only as long as other rows say so: while it waits, its suspension is open; once it is
    held, its thread is still where it was given it, or has `hold` in its frames.
    """

    name = models.CharField(max_length=200)
    run = models.ForeignKey(Run, models.CASCADE, related_name="lock_claims")
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="lock_claims")
    suspension = models.ForeignKey(Suspension, models.CASCADE, related_name="lock_claims")
    hold = models.CharField(max_length=36)  # of one time in the body; the frame has it too
    node = models.CharField(max_length=80)  # the one that takes the lock
    seq = models.PositiveIntegerField()  # of the thread when it asked
    is_shared = models.BooleanField(default=False)
    limit = models.PositiveIntegerField(default=1)  # how many may hold it together
    is_again = models.BooleanField(default=False)  # it was released while its thread slept
    state = models.CharField(
        max_length=10, default=LockState.WAITING, choices=[(s.value, s.value) for s in LockState]
    )
    asked_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("suspension", "hold", "name"), name="lock_asked_once"),
            models.CheckConstraint(
                name="lock_state_known", condition=Q(state__in=[s.value for s in LockState])
            ),
            models.CheckConstraint(
                name="lock_held_at_when_held",
                condition=Q(state="waiting", held_at__isnull=True)
                | (~Q(state="waiting") & Q(held_at__isnull=False)),
            ),
        )
        indexes = (models.Index(fields=("name", "state", "id"), name="lock_queue"),)

    def __str__(self) -> str:
        return f"{self.name} {self.state} at {self.node}"
