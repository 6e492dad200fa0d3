"""How long an attempt of an effect may take."""

from workflows import conf

#: What is left to tell of the end before the engine's own limit strikes.
_MARGIN = 0.25


def own_seconds(wanted: float | None, default: float) -> float:
    """Return the time limit of an attempt: a little less than the engine's, which only signals.

    Args:
        wanted: the node's own timeout in seconds.
        default: of the effect, when the node has none.
    """
    if wanted is None:
        return min(default, conf.settings().activity_seconds - _MARGIN)
    return max(wanted - min(_MARGIN, wanted / 10), 0.0)
