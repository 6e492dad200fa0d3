"""Sleeping: delays, timeouts, and what a run says about itself meanwhile."""

import pytest

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
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
from workflows import services
from workflows.errors import ConflictError
from workflows.models import Run, Suspension, Thread, ThreadGroup
from workflows.services.after import fall_asleep
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

#: The engine's clock begins at midnight.
HALF_PAST = {"id": "d", "type": "delay", "until": "2030-01-01T00:30:00Z"}


def test_a_delay_until_a_moment_ends_then(engine: Harness) -> None:
    """Contract: `until` a timestamp."""
    engine.publish(workflow("wait", HALF_PAST, end()))
    run = engine.start("wait")
    engine.jump(minutes=29, seconds=59)
    assert_waiting_for(run, "d")
    engine.jump(seconds=1)
    assert_completed(run)


def test_a_moment_that_has_passed_is_over_at_once(engine: Harness) -> None:
    engine.publish(workflow("wait", HALF_PAST, end()))
    engine.jump(hours=1)
    run = engine.start("wait")
    engine.drain()
    assert_completed(run)


def test_a_wait_for_an_event_has_a_timeout_of_its_own(engine: Harness) -> None:
    """Contract: `timeout`, `on_timeout`."""
    asked = wait_event("ask", "answer", timeout="PT1H", on_timeout="late", next="end")
    engine.publish(workflow("wait", asked, edit("late", late=True), end()))
    run = engine.start("wait")
    engine.jump(minutes=59)
    assert_waiting_for(run, "ask")
    engine.jump(minutes=1)
    assert_completed(run, {"late": True})
    assert engine.send("answer").woke == ()


def test_a_timeout_without_a_way_out_fails_the_node(engine: Harness) -> None:
    engine.publish(workflow("wait", wait_event("ask", "answer", timeout="PT1H"), end()))
    assert_failed(engine.run("wait"), "timeout", "ask")


def test_a_timeout_can_be_taken_as_an_error(engine: Harness) -> None:
    asked = wait_event("ask", "answer", timeout="PT1H", on_error="late", next="end")
    engine.publish(workflow("wait", asked, edit("late", code="${error.code}"), end()))
    run = engine.run("wait")
    assert engine.result(run).output["code"] == "timeout"


def test_an_event_in_time_stops_the_clock(engine: Harness) -> None:
    asked = wait_event("ask", "answer", timeout="PT1H", on_timeout="late", next="end")
    engine.publish(workflow("wait", asked, edit("late", late=True), end(output={"ok": True})))
    run = engine.start("wait")
    engine.jump(minutes=59)
    engine.send("answer")
    assert_completed(run, {"ok": True})
    engine.jump(hours=2)
    assert_each_step_once(run)


@pytest.mark.parametrize("is_timer_first", [True, False])
def test_of_an_event_and_a_timer_exactly_one_wins(engine: Harness, *, is_timer_first: bool) -> None:
    asked = wait_event("ask", "answer", timeout="PT1H", on_timeout="late", next="end")
    engine.publish(workflow("wait", asked, edit("late", late=True), end(output={"l": "${late}"})))
    run = engine.start("wait")
    engine.drain()
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    if is_timer_first:
        assert services.sweep()
    receipt = services.send_event("answer")
    engine.drain()
    assert_completed(run, {"l": True} if is_timer_first else {})
    assert len(receipt.woke) == (0 if is_timer_first else 1)
    assert Suspension.objects.get(run=run).resolved_by == ("timer" if is_timer_first else "event")
    assert_each_step_once(run)


# --- what the run's status says --------------------------------------------------------------


def test_a_run_is_suspended_only_when_every_thread_waits(engine: Harness) -> None:
    """Contract: A run is `suspended` only when nothing in it can move."""
    engine.publish(
        workflow(
            "wait",
            fan_out("f", a="a", b="b", c="c"),
            delay("a", "PT1H", next="j"),
            wait_event("b", "go", next="j"),
            activity("c", "test.fail_until", input={"attempt": 2}, retry=_RETRY, next="j"),
            fan_in("j"),
            end(),
        )
    )
    run = engine.start("wait")
    assert engine.result(run).status == "pending"
    engine.drain()
    assert engine.result(run).status == "running"  # c tries again in a minute, by itself
    engine.jump(minutes=1)
    assert_waiting_for(run, "a", "b")
    engine.send("go")
    assert_waiting_for(run, "a")
    engine.jump(hours=1)
    assert_completed(run)


_RETRY = {"attempts": 3, "backoff": "PT1M"}


def test_a_run_moves_again_from_the_moment_its_thread_is_woken(engine: Harness) -> None:
    engine.publish(workflow("wait", wait_event("ask", "go"), end()))
    run = engine.start("wait")
    engine.drain()
    services.send_event("go")
    assert engine.result(run).status == "running"
    engine.drain()
    assert_completed(run)


def test_a_window_full_of_sleepers_is_asleep_whatever_is_queued(engine: Harness) -> None:
    engine.publish(
        workflow(
            "wait",
            batch("b", "ask", size=1, parallel=2, next="end"),
            wait_event("ask", "go", key="items[0]", next=None),
            end(),
        )
    )
    run = engine.start("wait", {"items": [1, 2, 3]})
    engine.drain()
    assert_waiting_for(run, "ask", "ask")
    assert Thread.objects.filter(run=run, state="queued").count() == 1
    engine.send("go", key="1")
    assert_waiting_for(run, "ask", "ask")
    engine.send("go", key="3")
    engine.send("go", key="2")
    assert_completed(run)


def test_a_run_whose_last_part_is_over_is_not_asleep(engine: Harness) -> None:
    """The join is still to come: whoever looks in between must not call that sleep."""
    engine.publish(
        workflow("wait", each("m", "part", next="end"), edit("part", output=1, next=None), end())
    )
    run = engine.start("wait", {"items": [1, 2]})
    assert engine.pump.step()
    group = ThreadGroup.objects.get(run=run)
    services.work_group(group.pk, queue=group.queue)
    assert not Thread.objects.filter(run=run, state__in=("queued", "ready", "running")).exists()
    assert not fall_asleep(run.pk)
    assert engine.result(run).status == "running"
    assert services.join_group(group.pk)
    assert not services.join_group(group.pk)
    engine.drain()
    assert_completed(run)


# --- cancelling and upgrading ------------------------------------------------------------------


def test_cancelling_closes_every_wait_and_group(engine: Harness) -> None:
    engine.publish(
        workflow(
            "wait",
            fan_out("f", a="a", b="m"),
            delay("a", "PT1H", next="j"),
            each("m", "ask", parallel=1, next="j"),
            wait_event("ask", "go", next=None),
            fan_in("j"),
            end(),
        )
    )
    run = engine.start("wait", {"items": [1, 2]})
    engine.drain()
    services.cancel(run.pk)
    assert engine.result(run).status == "cancelled"
    assert_at_rest(run)
    assert set(Suspension.objects.filter(run=run).values_list("state", flat=True)) == {"closed"}
    assert engine.send("go").woke == ()
    engine.jump(hours=2)
    assert engine.result(run).status == "cancelled"
    with pytest.raises(ConflictError):
        services.cancel(run.pk)


def test_a_run_can_be_cancelled_before_it_moves_and_while_it_moves(engine: Harness) -> None:
    engine.publish(
        workflow("wait", each("m", "part", parallel=1, next="end"), edit("part", next=None), end())
    )
    for steps in range(3):
        run = engine.start("wait", {"items": [1, 2, 3]})
        for _ in range(steps):
            engine.pump.step()
        if engine.result(run).ended_at is None:
            services.cancel(run.pk)
            engine.drain()
            assert engine.result(run).status == "cancelled"
        assert_at_rest(run)


def test_a_parked_run_wakes_on_its_own_version(engine: Harness) -> None:
    def version(number: int) -> dict[str, object]:
        return workflow(
            "wait",
            wait_event("ask", "go", key="k"),
            each("m", "part", next="end"),
            edit("part", output=number, next=None),
            end(output={"v": "${output}"}),
        )

    engine.publish(version(1))
    first = engine.start("wait", {"k": "one", "items": [0]})
    engine.drain()
    engine.publish(version(2))
    second = engine.start("wait", {"k": "two", "items": [0]})
    engine.drain()
    engine.publish(workflow("wait", end()))
    engine.jump(hours=24)
    engine.send("go", key="one")
    engine.send("go", key="two")
    assert_completed(first, {"v": [1]})
    assert_completed(second, {"v": [2]})


def test_a_sweep_is_not_stopped_by_one_broken_row(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.publish(workflow("wait", delay("d", "PT1M"), end()))
    runs = [engine.start("wait") for _ in range(3)]
    engine.drain()
    broken = Suspension.objects.filter(run=runs[0])
    broken.update(thread_id=Thread.objects.get(run=runs[1]).pk, seq=99)
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    engine.drain()
    assert [_status(run) for run in runs] == ["suspended", "completed", "completed"]


def _status(run: Run) -> str:
    return str(Run.objects.values_list("status", flat=True).get(pk=run.pk))


def test_parts_that_sleep_keep_no_copies_of_what_they_started_with(any_order: Harness) -> None:
    ask = wait_event("ask", "go", key="to_string(item)", result="output.got")
    nodes = (each("m", "rest", next="end"), delay("rest", "PT1M"), {**ask, "next": "nap"})
    nap = delay("nap", "PT1M", next=None)
    any_order.publish(workflow("w", *nodes, nap, end(output={"o": "${output}"})))
    run = any_order.start("w", {"items": [1, 2, 3]})
    any_order.jump(minutes=1)
    assert set(
        Thread.objects.filter(run=run, idx__gte=0, group__isnull=False).values_list(
            "state", "context"
        )
    ) == {("suspended", None)}
    for number in (3, 1, 2):
        any_order.send("go", key=str(number), data=number)
    asleep = Thread.objects.filter(run=run, group__isnull=False)
    assert all(thread.context["output"] for thread in asleep)
    any_order.jump(minutes=2)
    run = any_order.result(run)
    assert [each_part["got"]["data"] for each_part in run.output["o"]] == [1, 2, 3]
