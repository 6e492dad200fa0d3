"""What is left of a delivery, while events come, waits open and messages are doubled at once."""

from functools import partial
from typing import Any

import pytest

from tests.support.assertions import assert_completed, assert_each_step_once
from tests.support.builder import end, wait_event, workflow
from tests.support.racing import at_once
from workflows import services
from workflows.expressions import limits
from workflows.models import Candidate, Event, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

STEPS = 20_000
CROWDED = workflow(
    "wait",
    wait_event("ask", "paid", filter="items.all(x, items.all(y, true))"),
    end(output={"got": "${event.data}"}),
)


@pytest.fixture
def engine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(limits, "MAX_UNITS", STEPS)
    with Harness.open() as harness:
        harness.publish(CROWDED)
        yield harness


def begin(engine: Harness, count: int) -> Run:
    run = engine.start("wait", {"items": list(range(count))})
    engine.jump(milliseconds=1)
    return run


def open_wait(run: Run) -> Any:
    thread = run.threads.get()
    return services.work_thread(thread.pk, thread.seq, queue=thread.queue)


def test_every_wait_gets_one_event_and_every_event_one_wait(engine: Harness) -> None:
    for _ in range(3):
        begin(engine, 400)
    waiting = [begin(engine, 0) for _ in range(4)]
    opening = [engine.start("wait", {"items": []}) for _ in range(4)]
    services.send_event("paid", data=0)
    head = Candidate.objects.earliest("pk").pk
    at_once(
        *(partial(services.deliver_left, head) for _ in range(3)),
        *(partial(services.send_event, "paid", data=number) for number in range(1, 8)),
        *(partial(open_wait, run) for run in opening),
    )
    engine.drain()
    got = []
    for run in waiting + opening:
        assert_completed(run)
        assert_each_step_once(run)
        got.append(engine.result(run).output["got"])
    assert sorted(got) == list(range(8))
    assert got[0] == 0  # the oldest wait that fits has the oldest event
    assert [len(event.taken_by) for event in Event.objects.all()] == [1] * 8
    assert not Candidate.objects.exists()


def test_events_for_all_meet_what_is_left_of_others(engine: Harness) -> None:
    """Two types, so two locks: the runs are locked in one order all the same."""
    other = wait_event("ask", "sent", filter="items.all(x, items.all(y, true))")
    engine.publish(workflow("other", other, end()))
    runs = []
    for number in range(6):
        runs.append(begin(engine, 0 if number % 2 else 400))
        runs.append(engine.start("other", {"items": [] if number % 2 else list(range(400))}))
        engine.jump(milliseconds=1)
    for _ in range(2):
        at_once(*(partial(services.send_event, kind, deliver="all") for kind in ("paid", "sent")))
    heads = [
        Candidate.objects.filter(event__type=kind).earliest("pk").pk for kind in ("paid", "sent")
    ]
    at_once(*(partial(services.deliver_left, head) for head in heads * 2))
    engine.drain()
    for run in runs:
        is_woken = not engine.result(run).input["items"]
        assert engine.result(run).status == ("completed" if is_woken else "suspended")
    assert not Candidate.objects.exists()
