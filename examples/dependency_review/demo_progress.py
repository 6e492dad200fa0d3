"""What the demo tells while it waits: slices, packages, approvals, time."""

from dataclasses import dataclass
from datetime import timedelta

from approvals.models import ApprovalRequest
from workflows.models import Run, Thread, ThreadGroup
from workflows.states import RUN_FINAL, THREAD_OVER

SLICES = "slices"  # the batch in workflow.yaml


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is; `packages` counts those of slices that are over."""

    status: str
    slices: int
    slices_in_all: int
    packages: int
    packages_in_all: int
    approvals_open: int

    @property
    def is_final(self) -> bool:
        return self.status in RUN_FINAL

    def line(self, elapsed: timedelta) -> str:
        """Return one line to print."""
        seconds = elapsed.total_seconds()
        return (
            f"{seconds // 60:02.0f}:{seconds % 60:04.1f}  {self.status:<9}"
            f"  slices {self.slices}/{self.slices_in_all}"
            f"  packages {self.packages}/{self.packages_in_all}"
            f"  approvals open {self.approvals_open}"
        )


def read_progress(run: str, packages: int) -> Progress:
    """Return how far a run is that reviews so many packages."""
    group = ThreadGroup.objects.filter(run_id=run, node=SLICES).first()
    return Progress(
        status=Run.objects.values_list("status", flat=True).get(pk=run),
        slices=0 if group is None else len(_over(group)),
        slices_in_all=0 if group is None else group.expected,
        packages=0 if group is None else _packages(group, packages),
        packages_in_all=packages,
        approvals_open=ApprovalRequest.objects.filter(run_id=run, status="open").count(),
    )


def _over(group: ThreadGroup) -> list[int]:
    over = Thread.objects.filter(group=group, state__in=THREAD_OVER)
    return list(over.values_list("idx", flat=True))


def _packages(group: ThreadGroup, packages: int) -> int:
    size = group.parts["size"]
    return sum(min(size, packages - index * size) for index in _over(group))
