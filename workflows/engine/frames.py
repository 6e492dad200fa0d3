"""The loops and locks that a thread is inside of, innermost last: `{"node": id, "state": ...}`."""

from workflows.compiler.plan import Plan
from workflows.nodes.outcomes import JSONObject

Frames = list[JSONObject]


def enter(frames: Frames, node: str, state: JSONObject) -> Frames:
    """Return the frames inside of a node's body."""
    return [*frames, {"node": node, "state": state}]


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
