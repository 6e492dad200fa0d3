"""Lone threads that a late worker takes along: what is claimed, and how each is recorded."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection

from tests.support import activities
from tests.support.activities import Killed, calls
from tests.support.builder import Node, activity, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import clock, services
from workflows.models import NodeExecution, Run, Thread
from workflows.services.pace import pace_of
from workflows.store import statements, threads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

QUICK = 0.001


@pytest.fixture(autouse=True)
def _known_paces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the costs of the nodes be known, as after the first runs; four in hand are many here."""
    monkeypatch.setattr("workflows.services.pace.MOST_BESIDE", 4)
    names = [f"beside:{node}:alone" for node in ("start", "a", "b", "end")]
    for name in names:
        pace_of(name).seconds = QUICK
    calls.clear()
    yield
    for name in names:
        pace_of(name).seconds = 0
    calls.clear()


def publish(*nodes: Node) -> None:
    steps = nodes or (activity("a", "test.count"), activity("b", "test.count"))
    services.publish(json.dumps(workflow("beside", *steps, end())))


def start(count: int, *, late: bool = True, **values: Any) -> list[Thread]:
    """Start runs whose messages go astray; `late`: they have waited for a while already."""
    ids = [services.start("beside", values).run.pk for _ in range(count)]
    rows = Thread.objects.filter(run__in=ids).order_by("id")
    if late:
        rows.update(wake_at=clock.now() - timedelta(seconds=1))
    return list(rows)


def work(thread: Thread) -> None:
    services.work_thread(thread.pk, 0, queue=thread.queue)


def completed() -> list[int]:
    """Return the ids of the root threads of the runs that are completed."""
    runs = Run.objects.filter(status="completed")
    return list(Thread.objects.filter(run__in=runs).order_by("id").values_list("id", flat=True))


def test_a_late_message_takes_others_along(transactional_db: None) -> None:
    publish()
    first, *others = start(6)
    work(first)
    assert completed() == [each.pk for each in [first, *others[:3]]]
    assert set(calls.values()) == {1}
    steps = NodeExecution.objects.filter(kind="activity").values_list("run", "node")
    assert len(steps) == len(set(steps)) == 4 * 2
    # The messages of those that were taken along find nothing to do.
    work(others[0])
    assert len(completed()) == 4


def test_each_step_has_a_commit_of_its_own(transactional_db: None) -> None:
    publish()
    work(start(4)[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text, thread_id FROM workflows_nodeexecution")
        commits: dict[str, set[int]] = {}
        for transaction, thread in cursor.fetchall():
            commits.setdefault(transaction, set()).add(thread)
    assert {len(of_threads) for of_threads in commits.values()} == {1}
    assert len(commits) == 4 * 2


def test_a_message_in_time_leaves_the_others_to_idle_workers(transactional_db: None) -> None:
    publish()
    first, *_ = start(3)
    Thread.objects.update(wake_at=clock.now())
    work(first)
    assert completed() == [first.pk]


def test_costs_that_are_not_known_yet_leave_the_others_alone(transactional_db: None) -> None:
    publish()
    pace_of("beside:start:alone").seconds = 0
    first, *_ = start(3)
    work(first)
    assert completed() == [first.pk]


def test_those_before_a_slow_node_are_sent_again(transactional_db: None) -> None:
    """At the first node all fit; the second takes longer than anyone should wait for."""
    publish()
    pace_of("beside:b:alone").seconds = 60
    first, second, third = start(3)
    work(first)
    assert completed() == [first.pk]
    for thread in (second, third):
        thread.refresh_from_db()
        assert (thread.state, thread.node, thread.seq, thread.attempt) == ("ready", "b", 2, 0)
        services.work_thread(thread.pk, thread.seq, queue=thread.queue)
    assert len(completed()) == 3
    assert set(calls.values()) == {1}


@pytest.mark.parametrize(
    "change",
    [
        {"queue": "other"},
        {"priority": 1},
        {"attempt": 1},
        {"node": "a"},
        {"state": "suspended"},
        {"wake_at": clock.now() + timedelta(days=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_only_those_that_wait_in_the_same_place(
    transactional_db: None, change: dict[str, Any]
) -> None:
    publish()
    first, second, third = start(3)
    Thread.objects.filter(pk=second.pk).update(**change)
    work(first)
    assert completed() == [first.pk, third.pk]


def test_a_version_with_a_step_that_may_be_started_only_once(transactional_db: None) -> None:
    """A worker that dies takes an attempt from all that it has in hand."""
    publish(activity("a", "test.count"), activity("b", "test.count", retry={"attempts": 1}))
    first, *_ = start(3)
    work(first)
    assert completed() == [first.pk]


def test_what_was_attempted_before_takes_nobody_along(transactional_db: None) -> None:
    publish()
    first, *_ = start(3)
    Thread.objects.filter(pk=first.pk).update(attempt=1)
    work(first)
    assert completed() == [first.pk]


def test_a_cancelled_run_and_a_locked_one_are_passed_over(transactional_db: None) -> None:
    publish()
    first, second, third = start(3)
    services.cancel(second.run_id)
    work(first)
    assert completed() == [first.pk, third.pk]


def test_a_killed_worker_loses_them_together_and_nothing_twice(transactional_db: None) -> None:
    publish(activity("a", "test.count"), activity("b", "test.die", input={"attempts": "${dies}"}))
    first = start(1, dies=1)[0]
    second = start(1, dies=0)[0]
    with pytest.raises(Killed):
        work(first)
    rows = Thread.objects.filter(pk__in=[first.pk, second.pk])
    assert list(rows.values_list("state", "node", "attempt")) == [("running", "b", 1)] * 2
    steps = NodeExecution.objects.filter(node="a", status="completed").count()
    assert steps == 2


def test_a_step_that_cannot_be_recorded_leaves_the_others_alone(
    transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is a commit of its own: what the database refuses of one is not refused of another."""
    publish()
    first, second, third = start(3)
    claims = [threads.claim_thread(each.pk, 0) for each in (first, second, third)]
    rows = [_values(claim) for claim in claims]
    rows[1]["node"] = "n" * 100  # more than its column holds
    assert [bool(found) for found in statements.run_each("settle_one", rows)] == [
        True,
        False,
        True,
    ]
    assert "could not be recorded" in caplog.text
    assert list(Thread.objects.order_by("id").values_list("seq", flat=True)) == [1, 0, 1]
    assert statements.run_each("settle_one", rows[:1]) == [[]], "its fence has moved on"


def test_a_connection_lost_in_between_is_found_out(transactional_db: None) -> None:
    publish()
    claims = [threads.claim_thread(each.pk, 0) for each in start(3)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    raw = connection.connection
    with raw.__class__.connect(raw.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])
    with pytest.raises(DatabaseError):
        statements.run_each("settle_one", [_values(claim) for claim in claims])
    connection.close()
    assert set(Thread.objects.values_list("seq", flat=True)) == {0}


def _values(claim: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": claim.thread_id,
        "seq": claim.seq,
        "fence": claim.fence,
        "new_seq": 1,
        "is_unstarted": False,
        "state": "running",
        "node": "a",
        "came_from": "start",
        "context": "{}",
        "contribution": None,
        "frames": None,
        "attempt": 1,
        "queue": claim.queue,
        "priority": 5,
        "wake_at": now,
        "lease_until": now,
        "moved_at": now,
        "history": "[]",
        "worker": "w",
    }


@pytest.mark.workers
@pytest.mark.redis
def test_many_runs_at_once_on_workers(workers: Workers) -> None:
    """A worker that is late moves several side by side, and every step is recorded once."""
    publish(activity("a", "test.echo"), activity("b", "test.echo"))
    workers.start(include=activities.__name__)
    ids = [services.start("beside").run.pk for _ in range(100)]
    wait_for(lambda: Run.objects.filter(pk__in=ids, status="completed").count() == len(ids))
    steps = list(NodeExecution.objects.filter(run__in=ids).values_list("run", "node", "status"))
    assert len(steps) == len(set(steps)) == 100 * 4
