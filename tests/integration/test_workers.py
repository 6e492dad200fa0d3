"""The same workflows on real workers: chords, lost messages, a flushed Redis, killed processes."""

import json
from functools import partial

import pytest
import redis

from tests.support import activities
from tests.support.builder import end, wait_event, workflow
from tests.support.mini import MiniSet
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import Event, NodeExecution, Run, Slot, Suspension, Thread, ThreadGroup
from workflows.services.events import fire_timer
from workflows.store import suspensions

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

MODULE = activities.__name__


def test_everything_ends_by_chords_and_messages_alone(workers: Workers) -> None:
    """No beat runs, so nobody sweeps: what a slot does not do, the body of its chord does."""
    workers.start(include=MODULE)
    first = MiniSet("nested")
    first.begin()
    # A delay needs the sweeper's look at the clock: fired by hand, everything else is the chords'.
    wait_for(lambda: Thread.objects.filter(node="pause", state="suspended").exists())
    _fire_timers()
    first.finish()
    mini = MiniSet("sequence", "few", "wide", "window", "slow")
    mini.begin()
    mini.finish()
    assert not Slot.objects.filter(runs=0).exists()


def _fire_timers() -> None:
    wait_for(lambda: sum(fire_timer(each) for each in suspensions.due(10)))


def test_a_chord_s_body_joins_what_its_slots_have_finished(workers: Workers) -> None:
    """Nobody sweeps, and slots that ran once each leave the join to the chord."""
    workers.start(include=MODULE)
    ran_once = [group for group in map(_few, range(5)) if _runs_of_slots(group) == [1, 1]]
    assert ran_once, "a slot always outlasted its time slice, so it may have joined as well"
    assert {(group.state, group.helped_at) for group in ran_once} == {("joined", None)}


def _few(_round: int) -> ThreadGroup:
    mini = MiniSet("few")
    mini.begin()
    mini.finish()
    return ThreadGroup.objects.get(run=mini.runs["few"])


def _runs_of_slots(group: ThreadGroup) -> list[int]:
    return list(Slot.objects.filter(group=group).values_list("runs", flat=True))


def test_lost_messages_and_a_flushed_redis_cost_time_only(
    quick: Workers, redis_client: redis.Redis
) -> None:
    mini = MiniSet()
    mini.begin()
    assert redis_client.flushall()  # nobody has heard of the runs
    quick.start(include=MODULE)
    quick.start_beat()
    wait_for(lambda: NodeExecution.objects.filter(node="part").count() > 20)
    assert redis_client.flushall()  # chords, slots, wake-ups: all gone
    mini.finish()


def test_waits_behind_hostile_filters_are_woken_by_workers(workers: Workers) -> None:
    """Nobody sweeps: each look at what is left sends the next one."""
    ask = wait_event("ask", "paid", filter="items.all(x, items.all(y, items.all(z, true)))")
    workers.start(include=MODULE)
    services.publish(json.dumps(workflow("filtered", ask, end(output={}))))
    for place, count in enumerate((500, 500, 500, 0)):
        services.start("filtered", {"items": list(range(count))})
        wait_for(partial(_are_open, place + 1))  # waits have an order
    receipt = services.send_event("paid")
    assert receipt.woke == ()
    wait_for(lambda: Run.objects.filter(status="completed").exists())
    event = Event.objects.get()
    assert len(event.misses) == 3
    assert all("were not enough" in miss["why"] for miss in event.misses)


def _are_open(count: int) -> bool:
    return Suspension.objects.filter(state="open").count() == count


def test_a_killed_pool_process_loses_no_part_and_doubles_none(quick: Workers) -> None:
    mini = MiniSet("slow", "window")
    quick.start(include=MODULE, supervised=True)
    quick.start_beat()
    mini.begin()
    wait_for(lambda: Thread.objects.filter(node="part", state="running").exists())
    assert quick.kill_pool_process() is not None
    wait_for(lambda: NodeExecution.objects.filter(node="part").count() > 10)
    assert quick.kill_pool_process() is not None
    mini.finish()
