"""Calls, source and programs on real workers: in their pools, cancelled, and killed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.assertions import assert_completed, assert_each_step_once
from tests.support.builder import code, command, each, end, http, workflow
from tests.support.http_server import Server, http_server, json_reply
from tests.support.isolation import require_sandbox
from tests.support.waiting import wait_for
from tests.support.workers import Workers, workers_on
from workflows import services
from workflows.effects.sealing import new_key
from workflows.models import NodeExecution, Run
from workflows.services import secrets

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

KEY = new_key()


@pytest.fixture
def web() -> Iterator[Server]:
    with http_server() as server:
        yield server


@pytest.fixture(params=["isolated", "trusted"])
def workers(
    request: pytest.FixtureRequest,
    celery_dispatcher: None,
    transactional_db: None,
    settings: object,
    tmp_path: Path,
) -> Iterator[Workers]:
    """Workers that may do everything, in the sandbox or as they are."""
    if request.param == "isolated":
        require_sandbox()
    allowed = {
        "CODE": request.param,
        "COMMAND": request.param,
        "COMMAND_PROGRAMS": ["sh"],
        "HTTP_PRIVATE": ["127.0.0.1"],
        "SECRET_KEYS": [KEY],
    }
    settings.CELERIAC = {**settings.CELERIAC, **allowed}  # type: ignore[attr-defined]
    variables = {
        f"CELERIAC_{name}": value if isinstance(value, str) else ",".join(value)
        for name, value in allowed.items()
    }
    with workers_on(**variables, TMPDIR=str(tmp_path), CELERIAC_LEASE_SECONDS="3") as started:
        yield started


def start(definition: dict[str, object], **data: object) -> Run:
    services.publish(json.dumps(definition))
    return services.start(str(definition["workflow"]), data).run


def is_over(run: Run) -> bool:
    return Run.objects.get(pk=run.pk).ended_at is not None


def test_all_three_in_a_map_on_two_workers(workers: Workers, web: Server) -> None:
    """Each attempt of a step carries its key, and no two steps share one."""
    secrets.set_secret("token", "correct horse")
    web.on("/", json_reply('{"n": 1}'))
    workers.start(2, concurrency=2)
    work = code("work", "context['item'] += context['answer']['body']['n']", next="run")
    definition = workflow(
        "outside",
        each("each", "call", next="end"),
        http("call", web.url(), headers={"X-Token": {"secret": "token"}}, result="answer"),
        work,
        command("run", "sh", "-c", 'echo "$1"', "sh", "${item}", next=None),
        end(output={"said": "${output.map(each, each.stdout)}"}),
    )
    run = start(definition, items=list(range(12)))
    wait_for(lambda: is_over(run))
    assert_completed(run, {"said": [f"{n + 1}\n" for n in range(12)]})
    assert_each_step_once(run)
    assert len({each.headers["idempotency-key"] for each in web.requests}) == 12
    assert {each.headers["x-token"] for each in web.requests} == {"correct horse"}
    assert "correct horse" not in str(list(NodeExecution.objects.values()))


def test_a_cancelled_run_ends_its_program_within_seconds(workers: Workers, tmp_path: Path) -> None:
    workers.start(1)
    mark = f"33{os.getpid()}"
    script = f"setsid sleep {mark}1 & sleep {mark}2"
    run = start(workflow("outside", command("run", "sh", "-c", script, timeout="PT10M"), end()))
    wait_for(lambda: len(running(f"sleep\0{mark}")) == 2)
    services.cancel(run.pk)
    wait_for(lambda: not running(mark), seconds=10)
    wait_for(lambda: list(tmp_path.glob("celeriac-*")) == [], seconds=10)


def test_a_killed_worker_takes_its_programs_along(workers: Workers, tmp_path: Path) -> None:
    """And another worker runs the step again, with nothing left of the first."""
    (first,) = workers.start(1, concurrency=1)
    mark = f"34{os.getpid()}"
    script = f"setsid sleep {mark}1 & sleep {mark}2"
    node = command("run", "sh", "-c", script, timeout="PT10M")
    run = start(workflow("outside", node, end()))
    wait_for(lambda: len(running(f"sleep\0{mark}")) == 2)
    first.kill()
    wait_for(lambda: not running(mark), seconds=20)
    wait_for(lambda: list(tmp_path.glob("celeriac-*")) == [], seconds=10)
    workers.start(1, concurrency=1)
    workers.start_beat()
    wait_for(lambda: len(running(f"sleep\0{mark}")) == 2)
    services.cancel(run.pk)
    wait_for(lambda: not running(mark), seconds=10)


def running(mark: str) -> list[bytes]:
    """Return the command lines of processes in which `mark` stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        found += [line] if mark.encode() in line else []
    return found
