"""Skips what needs the sandbox where there is none, and says why."""

import pytest

from workflows.effects import sandbox


def require_sandbox() -> None:
    """Leave the test out on a machine that cannot have a sandbox."""
    reason = sandbox.problem()
    if reason:
        pytest.skip(reason)
