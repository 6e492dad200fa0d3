"""A part that kills every process that touches it: only it is given up, after its attempts."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support import activities
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, each, edit, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import Run
from workflows.testing import Harness

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

ITEMS = list(range(20))
POISON = 7


@pytest.fixture
def fleet(quick: Workers) -> Workers:
    """One supervised worker, so that the innocent share it with the poison, and a beat."""
    quick.start(1, include=activities.__name__, supervised=True)
    quick.start_beat()
    return quick


def publish(attempts: int) -> None:
    part = activity(
        "part",
        "test.kill",
        input={"item": "${item}", "poison": "${poison}", "log": "${log}"},
        retry={"attempts": attempts, "backoff": "PT1S"},
        on_error="stopped",
        next=None,
    )
    stopped = edit("stopped", output="${[error.code, error.attempt]}", next=None)
    last = end(output={"output": "${output}"})
    with Harness.open() as engine:
        engine.publish(workflow("poison", each("m", "part", next="end"), part, stopped, last))


def run_to_the_end(log: Path, *, poison: int) -> Run:
    run = services.start("poison", {"items": ITEMS, "poison": poison, "log": str(log)}).run
    wait_for(lambda: Run.objects.filter(pk=run.pk, ended_at__isnull=False).exists())
    return run


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_only_the_part_that_kills_its_process_fails(
    fleet: Workers, tmp_path: Path, attempts: int
) -> None:
    publish(attempts)
    for number in range(4):  # in which the pool learns that a part takes next to nothing
        assert_completed(run_to_the_end(tmp_path / f"warm{number}", poison=-1))
    log = tmp_path / "calls"
    run = run_to_the_end(log, poison=POISON)

    given_up = ["lost_work", attempts]
    assert_completed(run, {"output": [given_up if item == POISON else item for item in ITEMS]})
    calls = Counter(int(line) for line in log.read_text().split())
    assert calls.pop(POISON) == attempts
    assert set(calls) == {item for item in ITEMS if item != POISON}
    # Those before it in the same hands were called, and not recorded: once more, alone.
    assert max(calls.values()) <= min(attempts, 2)
    assert_each_step_once(run)
    assert_at_rest(run)
