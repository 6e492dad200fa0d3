"""How long an attempt of an effect may take, which each of them sees to itself."""

from datetime import timedelta

from workflows import conf

_CLEARING = timedelta(seconds=10)


def clearing() -> timedelta:
    """Return what the engine waits beyond that, before it breaks an attempt off where it stands."""
    return _CLEARING


def own_seconds(wanted: float | None, default: float) -> float:
    """Return the time limit of an attempt.

    Args:
        wanted: the node's own timeout in seconds.
        default: of the effect, when the node has none.
    """
    return min(default, conf.settings().activity_seconds) if wanted is None else wanted
