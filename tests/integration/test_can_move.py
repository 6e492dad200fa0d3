"""The statement that tells whether a run can move, beside a plain reading of its rows."""

from itertools import combinations_with_replacement, product

import pytest

from tests.support.builder import end, wait_event, workflow
from workflows import clock
from workflows.models import Run, Thread, ThreadGroup
from workflows.states import THREAD_LIVE, THREAD_OVER, GroupState, ThreadState
from workflows.store import runs
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

#: What the parts of one group may be at: all of none, one and two, and some of three.
PARTS = [parts for count in range(3) for parts in combinations_with_replacement(ThreadState, count)]
PARTS += [(ThreadState.QUEUED, one, other) for one, other in product(THREAD_LIVE, repeat=2)]


def can_move(run: Run) -> bool:
    """Read every row, and say what the rules say."""
    groups = ThreadGroup.objects.filter(run=run, state=GroupState.OPEN)
    states = set(Thread.objects.filter(run=run).values_list("state", flat=True))
    return bool(states & {"ready", "running"}) or any(map(_moves, groups))


def _moves(group: ThreadGroup) -> bool:
    parts = list(Thread.objects.filter(group=group).values_list("state", flat=True))
    live = sum(state in THREAD_LIVE for state in parts)
    has_room = group.parallel == 0 or live < group.parallel
    return ("queued" in parts and has_room) or all(state in THREAD_OVER for state in parts)


def group_of(run: Run, owner: Thread, number: int, state: str, parallel: int) -> ThreadGroup:
    return ThreadGroup.objects.create(
        run=run,
        owner=owner,
        owner_seq=number,
        node="start",
        parts={},
        queue="workflows",
        expected=1,
        parallel=parallel,
        slots=1,
        state=state,
        opened_at=clock.now(),
        joined_at=clock.now() if state == "joined" else None,
    )


def thread_of(run: Run, state: str, group: ThreadGroup | None = None) -> Thread:
    now = clock.now()
    lease = now if state == "running" else None
    where = {"node": "start", "context": {}, "wake_at": now, "moved_at": now, "lease_until": lease}
    return Thread(run=run, group=group, state=state, **where)


@pytest.mark.parametrize(
    ("state", "parallel"),
    [("open", 0), ("open", 1), ("open", 2), ("joined", 0), ("failed", 1), ("cancelled", 2)],
)
def test_every_combination_of_states_is_read_alike(state: str, parallel: int) -> None:
    """Of a group and a second one beside it; another run counts for nothing."""
    with Harness.open() as engine:
        engine.publish(workflow("rows", wait_event("wait", "go"), end()))
        run, other = engine.start("rows"), engine.start("rows")
    Thread.objects.filter(run=run).update(state="joining", lease_until=None)
    owner = Thread.objects.get(run=run)
    group = group_of(run, owner, 1, state, parallel)
    second = group_of(run, owner, 2, "open", 1)
    seen = set()
    for parts, beside in product(PARTS, ["queued", "suspended", "ended"]):
        Thread.objects.filter(run=run).exclude(pk=owner.pk).delete()
        made = [thread_of(run, each, group) for each in parts]
        made += [thread_of(run, "suspended", second), thread_of(run, beside, second)]
        for idx, thread in enumerate(made):
            thread.idx = idx
        Thread.objects.bulk_create(made)
        assert runs.can_move(run.pk) is can_move(run), (parts, beside)
        seen.add(can_move(run))
    assert seen == {True, False}
    assert runs.can_move(other.pk)
