"""What must hold when many do the same thing at the same moment, on a real PostgreSQL."""

from collections.abc import Collection
from functools import partial
from uuid import UUID

import pytest
from django.db import DatabaseError, connection

from tests.support import activities  # noqa: F401 - registers them
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.racing import at_once, many
from workflows import services
from workflows.errors import ConflictError
from workflows.models import Event, NodeExecution, Run, Suspension, Thread, ThreadGroup
from workflows.store import threads
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

MANY = 20


@pytest.fixture
def asleep(engine: Harness) -> Run:
    """A run that waits for `go`."""
    engine.publish(workflow("race", wait_event("ask", "go"), end(output={"n": "${event.data}"})))
    run = engine.start("race")
    engine.drain()
    return run


def test_the_same_event_at_once_is_one_event(engine: Harness, asleep: Run) -> None:
    receipts = at_once(
        *many(MANY, lambda n: services.send_event("go", data=n, source="s", external_id="1"))
    )
    assert sum(receipt.is_new for receipt in receipts) == 1
    assert {receipt.event.pk for receipt in receipts} == {Event.objects.get().pk}
    assert {receipt.woke for receipt in receipts} == {(Suspension.objects.get().pk,)}
    engine.drain()
    assert_completed(asleep)
    assert_each_step_once(asleep)


def test_of_different_events_at_once_one_wakes_the_wait(engine: Harness, asleep: Run) -> None:
    receipts = at_once(*many(MANY, lambda n: services.send_event("go", data=n)))
    (winner,) = [receipt for receipt in receipts if receipt.woke]
    assert Event.objects.filter(taken_at__isnull=True).count() == MANY - 1
    engine.drain()
    assert_completed(asleep, {"n": winner.event.data})


def test_starts_with_the_same_key_at_once_are_one_run(engine: Harness) -> None:
    engine.publish(workflow("race", edit("a", x=1), end()))
    started = at_once(*many(MANY, lambda _: services.start("race", {"n": 1}, key="k")))
    assert sum(one.is_new for one in started) == 1
    assert {one.run.pk for one in started} == {Run.objects.get().pk}
    engine.drain()
    assert_completed(Run.objects.get(), {"n": 1, "x": 1})


def test_publishing_the_same_at_once_is_one_version(engine: Harness) -> None:
    published = at_once(*many(8, lambda _: engine.publish(workflow("race", end()))))
    assert sum(one.is_new for one in published) == 1
    others = [workflow("race", edit("a", n=n), end()) for n in range(8)]
    different = at_once(*(partial(engine.publish, other) for other in others))
    assert sorted(one.version.number for one in different) == list(range(2, 10))


def test_an_event_is_never_lost_between_looking_and_sleeping(engine: Harness) -> None:
    engine.publish(workflow("race", wait_event("ask", "go", key="n"), end()))
    for number in range(50):
        run = engine.start("race", {"n": number})
        thread = Thread.objects.get(run=run)
        at_once(
            partial(services.work_thread, thread.pk, 0, queue=thread.queue),
            partial(services.send_event, "go", key=str(number)),
        )
        engine.drain()
        assert engine.result(run).status == "completed", f"lost in round {number}"


def test_of_two_sweepers_at_once_one_sweeps(engine: Harness) -> None:
    engine.publish(workflow("race", delay("d", "PT1M"), end()))
    runs = [engine.start("race") for _ in range(5)]
    engine.drain()
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    swept = at_once(*many(4, lambda _: services.sweep()))
    assert sum(one.timers for one in swept if one is not None) == len(runs)
    engine.drain()
    for run in runs:
        assert_completed(run)
        assert_each_step_once(run)


def test_a_cancel_and_an_end_at_once_have_one_winner(engine: Harness) -> None:
    engine.publish(
        workflow("race", each("m", "part", next="end"), edit("part", output=1, next=None), end())
    )
    statuses = set()
    for _ in range(15):
        run = engine.start("race", {"items": list(range(8))})
        _work_and(engine, partial(_cancel, run.pk))
        status = engine.result(run).status
        statuses.add(status)
        assert status in {"completed", "cancelled"}
        assert_at_rest(run)
        assert_each_step_once(run)
    assert statuses  # which of them is chance


def _work_and(engine: Harness, other: object) -> None:
    """Work everything off while the other thing happens."""
    assert callable(other)
    at_once(engine.drain, other)
    engine.drain()


def _cancel(run_id: UUID) -> str:
    try:
        return services.cancel(run_id).status
    except ConflictError:
        return "too late"


def test_a_cancel_meets_slots_at_work(engine: Harness) -> None:
    engine.publish(
        workflow(
            "race",
            each("m", "part", next="end"),
            activity("part", "test.echo", next="rest"),
            delay("rest", "PT1H", next=None),
            end(),
        )
    )
    for _ in range(5):
        run = engine.start("race", {"items": list(range(60))})
        engine.pump.step()
        group = ThreadGroup.objects.get(run=run)
        slots = [partial(services.help_group, group.pk, queue=group.queue) for _ in range(3)]
        at_once(*slots, partial(_cancel, run.pk))
        engine.drain()
        assert engine.result(run).status == "cancelled"
        assert_at_rest(run)
        assert_each_step_once(run)


def test_of_many_cancels_at_once_one_cancels(asleep: Run) -> None:
    said = at_once(*many(MANY, lambda _: _cancel(asleep.pk)))
    assert sorted(said) == ["cancelled", *["too late"] * (MANY - 1)]
    assert_at_rest(asleep)


def test_an_answer_and_a_timer_and_a_cancel_at_once_have_one_winner(engine: Harness) -> None:
    asked = wait_event("ask", "go", key="n", timeout="PT1H", on_timeout="late", next="end")
    engine.publish(workflow("race", asked, edit("late", late=True), end()))
    for number in range(10):
        run = engine.start("race", {"n": number})
        engine.drain()
        wait = Suspension.objects.get(run=run)
        engine.clock.move_to(wait.wake_at or engine.clock.moment)
        receipt, swept, cancelled = at_once(
            partial(services.send_event, "go", key=str(number)),
            services.sweep,
            partial(_cancel, run.pk),
        )
        wait.refresh_from_db()
        engine.drain()
        assert (wait.state, wait.resolved_by) in {
            ("resolved", "event"),
            ("resolved", "timer"),
            ("closed", ""),
        }
        assert bool(receipt.woke) == (wait.resolved_by == "event")  # type: ignore[union-attr]
        assert cancelled == engine.result(run).status or cancelled == "too late"
        assert swept is not None
        assert_at_rest(run)
        assert_each_step_once(run)


def test_joins_at_once_join_once(engine: Harness) -> None:
    engine.publish(
        workflow("race", each("m", "part", next="end"), edit("part", output=1, next=None), end())
    )
    run = engine.start("race", {"items": [1, 2, 3]})
    engine.pump.step()
    group = ThreadGroup.objects.get(run=run)
    services.work_group(group.pk, queue=group.queue)
    joined = at_once(*many(8, lambda _: services.join_group(group.pk)))
    assert sum(joined) == 1
    engine.drain()
    assert_completed(run)
    assert NodeExecution.objects.filter(run=run, node="m").count() == 1


def test_slots_at_once_take_each_part_once_and_keep_to_the_window(engine: Harness) -> None:
    engine.publish(
        workflow(
            "race",
            batch("b", "part", size=1, parallel=3, merge="alive", next="end"),
            activity("part", "test.alive", result="alive", next=None),
            end(),
        )
    )
    run = engine.start("race", {"items": list(range(30))})
    engine.pump.step()
    group = ThreadGroup.objects.get(run=run)
    at_once(*many(6, lambda _: services.help_group(group.pk, queue=group.queue)))
    engine.drain()
    assert_completed(run)
    output = engine.result(run).output
    assert len(output["alive"]) == 30
    assert max(output["alive"]) <= 3
    assert_each_step_once(run)
    assert NodeExecution.objects.filter(run=run, node="part").count() == 30


def test_the_same_message_at_once_is_worked_off_once(engine: Harness) -> None:
    engine.publish(workflow("race", activity("a", "test.count", result="n"), end()))
    run = engine.start("race")
    thread = Thread.objects.get(run=run)
    at_once(*many(8, lambda _: services.work_thread(thread.pk, 0, queue=thread.queue)))
    assert_completed(run, {"n": 1})
    assert_each_step_once(run)


def test_a_run_with_open_branches_is_cancelled_while_its_waits_are_answered(
    engine: Harness,
) -> None:
    """Both go through run, wait and thread in this order: nobody is told of a deadlock."""
    engine.publish(
        workflow(
            "race",
            fan_out("f", a="m", b="late"),
            each("m", "ask", next="j"),
            wait_event("ask", "go", result="output", next=None),
            wait_event("late", "go", key="'late'", next="j"),
            fan_in("j"),
            end(),
        )
    )
    for _ in range(4):
        runs = [engine.start("race", {"items": list(range(5))}) for _ in range(2)]
        engine.drain()
        at_once(
            partial(services.send_event, "go", deliver="all"),
            *(partial(_cancel, run.pk) for run in runs),
            partial(services.send_event, "go", deliver="all", key="late"),
        )
        engine.drain()
        for run in runs:
            assert engine.result(run).status == "cancelled"
            assert_at_rest(run)


def test_events_for_all_that_meet_crosswise_are_both_delivered(engine: Harness) -> None:
    """Each locks several runs, in opposite orders: the database stops one, and it is made again."""
    for name, first, second in (("ab", "a", "b"), ("ba", "b", "a")):
        engine.publish(
            workflow(
                name,
                fan_out("f", one="one", two="two"),
                wait_event("one", first, next="j"),
                delay("two", "PT1S", next="two2"),
                wait_event("two2", second, next="j"),
                fan_in("j"),
                end(),
            )
        )
    for _ in range(3):
        runs = [engine.start(name) for name in ("ab", "ba", "ab", "ba")]
        engine.jump(seconds=1)
        at_once(*(partial(services.send_event, kind, deliver="all") for kind in ("a", "b")))
        engine.drain()
        for run in runs:
            assert_completed(run)
            assert_each_step_once(run)


def test_a_deadlock_is_tried_again_before_anybody_is_told(
    asleep: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = threads.cancel_all, iter([True, True, False])

    def sometimes(run_ids: list[UUID], within: Collection[UUID] | None) -> int:
        if next(failures, False):
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
        return real(run_ids, within)

    monkeypatch.setattr(threads, "cancel_all", sometimes)
    assert services.cancel(asleep.pk).status == "cancelled"
    assert_at_rest(asleep)


def test_a_deadlock_that_stays_is_told(asleep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
        return 0

    monkeypatch.setattr(threads, "cancel_all", always)
    with pytest.raises(DatabaseError):
        services.cancel(asleep.pk)
    assert Run.objects.get(pk=asleep.pk).status == "suspended"
