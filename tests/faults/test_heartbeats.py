"""Activities that hang, and what they say of themselves: they are broken off and done elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import stubborn
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers, workers_on
from workflows import services
from workflows.models import NodeExecution, Run

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

RETRY = {"attempts": 2, "backoff": "PT0.1S"}


@pytest.fixture
def fleet(celery_dispatcher: None, transactional_db: None) -> Iterator[Workers]:
    """Two workers of one process each, and a beat."""
    with workers_on(CELERIAC_LEASE_SECONDS="3") as workers:
        workers.start(2, concurrency=1, include=stubborn.__name__)
        workers.start_beat()
        yield workers


def start(name: str, place: Path, **fields: Any) -> Run:
    step = activity("work", name, input={"place": str(place)}, **fields)
    definition = workflow("hangs", step, end(output={"attempt": "${output}"}))
    services.publish(json.dumps(definition))
    return services.start("hangs").run


def wait_for_end(run: Run, seconds: float) -> None:
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=seconds)
    assert_at_rest(run)
    assert_each_step_once(run)


def errors_of(run: Run) -> list[str]:
    failed = NodeExecution.objects.filter(run=run, node="work", status="failed")
    return [step.error["code"] for step in failed.order_by("id")]


@pytest.mark.parametrize("fields", [{"retry": RETRY}, {}], ids=["retry", "none"])
def test_one_that_falls_silent_is_broken_off_then_and_done_again(
    fleet: Workers, tmp_path: Path, fields: dict[str, Any]
) -> None:
    """Contract: `heartbeat`: who falls silent is broken off and done again.

    Long before its time limit and its lease are over, and with or without `retry`.
    """
    run = start("stubborn.silent", tmp_path, **fields)
    wait_for_end(run, 20)
    assert_completed(run, {"attempt": 2})
    assert errors_of(run) == ["heartbeat_timeout"]
    fell_silent = float(stubborn.lines(tmp_path, "silent")[0])
    second = float(stubborn.lines(tmp_path, "started")[1].split()[1])
    assert 0.7 <= second - fell_silent <= 5


def test_the_late_answer_of_one_that_cannot_be_broken_off_is_refused(
    fleet: Workers, tmp_path: Path
) -> None:
    run = start("stubborn.deaf", tmp_path, retry=RETRY)
    wait_for_end(run, 20)
    assert stubborn.lines(tmp_path, "late") == []
    before = list(NodeExecution.objects.filter(run=run).order_by("id").values())
    (tmp_path / "go").touch()
    wait_for(lambda: stubborn.lines(tmp_path, "late"))
    again = start("stubborn.silent", tmp_path, retry=RETRY)
    wait_for_end(again, 20)  # the process that was held up works as well
    assert_completed(run, {"attempt": 2})
    assert list(NodeExecution.objects.filter(run=run).order_by("id").values()) == before


def test_one_that_beats_for_ever_is_broken_off_by_its_timeout(
    fleet: Workers, tmp_path: Path
) -> None:
    run = start("stubborn.locked", tmp_path, retry=RETRY, timeout="PT2S")
    wait_for_end(run, 20)
    assert_completed(run, {"attempt": 2})
    assert errors_of(run) == ["timeout"]
    first, second = (line.split() for line in stubborn.lines(tmp_path, "started"))
    assert 2 <= float(second[1]) - float(first[1]) <= 8
