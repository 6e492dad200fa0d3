"""Threads wait for each other: the youngest of them gives up."""

from dataclasses import asdict

from workflows.engine.hints import Hint
from workflows.engine.lock_cycles import CODE, find_cycle
from workflows.engine.waking import woken_by
from workflows.nodes.outcomes import Fail
from workflows.store import suspensions, waiters


def apply(thread_id: int) -> list[Hint]:
    """Let the wait of the youngest fail in the cycle that keeps a thread; empty if there is none.

    A thread that was to have its lock again cannot go on in the body without it: its run fails.
    """
    waiters.lock_cycles()
    cycle = find_cycle(thread_id)
    wait = suspensions.by_id(cycle.victim) if cycle is not None else None
    if cycle is None or wait is None:
        return []
    refused = Fail(CODE, cycle.message, fatal=cycle.is_again)
    return woken_by(wait, "refused", asdict(refused))
