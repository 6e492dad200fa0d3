"""Whether and when a failed attempt is made again."""

import random
from datetime import timedelta

from workflows import clock, conf
from workflows.compiler.plan import Plan, PlanNode
from workflows.definition.model import RetryPolicy, WorkConfig
from workflows.engine.call import SILENT
from workflows.engine.cursor import Cursor
from workflows.engine.settlements import wait_turn
from workflows.nodes.outcomes import Branches, Fail
from workflows.nodes.parts import part_start, parts_from_json
from workflows.store import history
from workflows.store.rows import GroupInfo, Settlement


def policy_of(node: PlanNode) -> RetryPolicy | None:
    """Return the retry policy of a node; kinds without one are never tried again."""
    policy = getattr(node.config, "retry", None)
    return policy if isinstance(policy, RetryPolicy) else None


def priority_of(node: PlanNode) -> int:
    """Return how urgent a node is, 0 most; 5 for kinds that do not say."""
    return int(getattr(node.config, "priority", 5))


def next_attempt(cursor: Cursor, fail: Fail) -> Settlement | None:
    """Return the settlement that waits for another attempt, or None when there is to be none."""
    policy = policy_of(cursor.node)
    if policy is None and fail.code == SILENT:
        # It counts as dead, as a step does whose worker was killed.
        policy = RetryPolicy(attempts=attempts_of(cursor.node), backoff=timedelta(0))
    is_final = fail.fatal or (isinstance(fail.details, dict) and fail.details.get("final"))
    if policy is None or is_final or not policy.covers(fail.code):
        return None
    attempt = cursor.attempt
    if attempt >= policy.attempts:
        return None
    cursor.record("failed", input=fail.input, error=cursor.failure(fail))
    wait = policy.wait_after(attempt)
    wait += wait * policy.jitter * random.uniform(-1, 1)  # noqa: S311 - spreads load, no secret
    return wait_turn(
        cursor,
        attempt=attempt,
        wake_at=clock.now() + max(wait, timedelta(0)),
        lease_until=None,
    )


def attempts_of(node: PlanNode) -> int:
    """Return how often a step of the node may be started, if no worker lives to finish it."""
    # Where the work is not done under the claim, as for a child run, retries are of something else.
    policy = policy_of(node) if isinstance(node.config, WorkConfig) else None
    return policy.attempts if policy else conf.settings().lost_work_attempts


def may_be_done_together(plan: Plan, group: GroupInfo) -> bool:
    """Tell whether the parts of a group may be claimed many at once.

    A worker that dies takes an attempt from all that it has in hand, which a part with a node that
    may be started only once cannot spare: it would be given up for what its neighbour did.
    """
    parts = parts_from_json(group.parts)
    ahead = {part_start(parts, 0)} if not isinstance(parts, Branches) else set(parts.starts)
    seen = {plan.nodes[group.node].join}
    while ahead:
        node = plan.nodes[ahead.pop()]
        if attempts_of(node) == 1:
            return False
        seen.add(node.id)
        ahead.update(target for target in node.ports.values() if target not in seen)
    return True


def may_stand_beside(plan: Plan) -> bool:
    """Tell whether lone threads of a version may be claimed many at once; see above."""
    return all(attempts_of(node) > 1 for node in plan.nodes.values())


def lost_too_often(cursor: Cursor) -> Fail | None:
    """Return the failure of a step whose workers died again and again, before it is started.

    The attempt was counted when the thread was claimed, so a step that kills its process is
    stopped here, on every broker. A node's own limit counts only where its work is done under the
    claim: what is asleep elsewhere has not failed because a worker died on the way to it or back.
    """
    attempt = cursor.claim.attempt
    policy, limit = policy_of(cursor.node), attempts_of(cursor.node)
    if policy is not None and isinstance(cursor.node.config, WorkConfig):
        limit = limit if cursor.resolution is None else conf.settings().lost_work_attempts
    elif policy is not None:
        limit += policy.attempts
    if attempt <= limit:
        return None
    message = (
        f"The step at {cursor.node_id!r} was started {attempt - 1} times and no worker lived to "
        "finish it. Look at the workers' logs, then mend the activity or raise retry.attempts."
    )
    return Fail("lost_work", message)


def attempt_to_sleep(cursor: Cursor) -> int:
    """Return which attempt a sleep is: claims that were lost on the way to it are none."""
    if cursor.resolution is not None or not cursor.is_first or cursor.claim.attempt == 1:
        return cursor.attempt
    return history.last_failed_attempt(cursor.claim.thread_id, cursor.seq) + 1
