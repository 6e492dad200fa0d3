"""Cancels a run in the middle of an activity, at the moment at which it asks."""

from typing import Any

import pytest

from workflows import services
from workflows.models import Run
from workflows.store import leases


def cancel_when_asked(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Let the first activity that asks whether it is still wanted find its run cancelled."""
    holds = leases.holds

    def cancelled(claim: Any) -> bool:
        monkeypatch.setattr(leases, "holds", holds)
        services.cancel(run.pk)
        return holds(claim)

    monkeypatch.setattr(leases, "holds", cancelled)
