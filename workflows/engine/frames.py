"""The loops and locks that a thread is inside of, innermost last: `{"node": id, "state": ...}`.

That of a lock has also what is held there: `{"lock": {"id", "names", ...}}`.
"""

from collections.abc import Iterable

from workflows.compiler.plan import Plan
from workflows.engine.hints import LockLeft
from workflows.nodes.outcomes import JSONObject
from workflows.store.rows import Claim, Settlement

Frames = list[JSONObject]


def enter(frames: Frames, node: str, state: JSONObject, lock: JSONObject | None = None) -> Frames:
    """Return the frames inside of a node's body."""
    held = {} if lock is None else {"lock": lock}
    return [*frames, {"node": node, "state": state, **held}]


def state_at(frames: Frames, node: str) -> JSONObject | None:
    """Return the state of the body that a thread at `node` is back from, if it is."""
    return frames[-1]["state"] if frames and frames[-1]["node"] == node else None


def leave(plan: Plan, frames: Frames, context: JSONObject) -> tuple[Frames, JSONObject]:
    """Leave the innermost body."""
    frame = frames[-1]
    return frames[:-1], plan.nodes[frame["node"]].kind.left(context, frame["state"])


def go_to(
    plan: Plan, frames: Frames, target: str, context: JSONObject
) -> tuple[Frames, JSONObject]:
    """Leave every body that the node `target` is not in; a body's own node is still inside."""
    while frames:
        node = frames[-1]["node"]
        if target == node or target in plan.nodes[node].body:
            break
        frames, context = leave(plan, frames, context)
    return frames, context


def way_back(frames: Frames) -> str | None:
    """Return where a way that leads nowhere goes: back to the node whose body it is in."""
    return frames[-1]["node"] if frames else None


def locks_in(frames: Frames | None) -> list[JSONObject]:
    """Return the locks of the bodies that a thread is inside of."""
    return [frame["lock"] for frame in frames or () if "lock" in frame]


def locks_at(claim: Claim) -> list[JSONObject]:
    """Return the locks that a claimed thread holds: what it was just given is in no frame yet."""
    resume = claim.resume
    given = [resume["payload"]] if resume is not None and resume["by"] == "lock" else []
    return locks_in(claim.frames) + given


def left_between(before: Iterable[JSONObject], after: Frames | None) -> list[LockLeft]:
    """Return the hint for locks that were held before and whose bodies a thread is not in now."""
    kept = {lock["id"] for lock in locks_in(after)}
    left = {name for lock in before if lock["id"] not in kept for name in lock["names"]}
    return [LockLeft(tuple(sorted(left)))] if left else []


def locks_left(settlements: Iterable[Settlement]) -> list[LockLeft]:
    """Return the hints for locks whose bodies were left by what was written."""
    hints: list[LockLeft] = []
    for item in settlements:
        if not item.is_unstarted and (held := locks_at(item.claim)):
            hints += left_between(held, None if item.is_over else item.frames)
    return hints
