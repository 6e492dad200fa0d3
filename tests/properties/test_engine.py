"""Random workflows under random deliveries: they end, alike, with every step recorded once."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.assertions import assert_at_rest, assert_each_step_once
from tests.support.families import family
from tests.support.invariants import assert_invariants
from tests.support.orders import Order, engine_in
from tests.support.random_workflows import definitions, families, inputs, loose_definitions
from workflows import services
from workflows.context.values import equal
from workflows.models import Run, Suspension, Thread
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

_MOST_STEPS = 3000
#: One clock for all examples: they share the database, in which time does not go back.
_time = VirtualClock()

examples = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@contextmanager
def _engine(seed: int) -> Iterator[Harness]:
    with engine_in(Order(seed=seed, is_fine=bool(seed % 2)), _time) as engine:
        yield engine


def work(engine: Harness, run: Run, dice: random.Random) -> None:
    """Work a run off while messages are lost and doubled, and look at the rows all the time."""
    for step in range(_MOST_STEPS):
        chance = dice.random()
        if chance < 0.05:
            engine.lose_messages()
        elif chance < 0.15 and len(engine.box.messages) < 20:
            engine.double_messages()
        if not engine.pump.step():
            if engine.result(run).ended_at is not None:
                return
            _let_time_pass(engine, dice)
        if not step % 20:
            assert_invariants()
    pytest.fail(f"still {engine.result(run).status} after {_MOST_STEPS} messages")


def _let_time_pass(engine: Harness, dice: random.Random) -> None:
    services.sweep()
    if engine.box.messages:
        return
    due = engine.next_due()
    if due is not None and dice.random() < 0.8:
        engine.clock.move_to(due)
    else:
        engine.jump(seconds=16)  # past every lease of a message


@examples
@given(definition=definitions(), data=inputs(), seed=st.integers(0, 999))
def test_a_run_ends_alike_whatever_happens_to_its_messages(
    definition: dict[str, Any], data: dict[str, Any], seed: int
) -> None:
    with engine_in(Order(), _time) as engine:
        engine.publish(definition)
        plain = engine.run("random", data)
        assert_each_step_once(plain)
    with _engine(seed) as engine:
        run = engine.start("random", data)
        work(engine, run, random.Random(seed))  # noqa: S311
        ended = engine.result(run)
        assert ended.status == plain.status == "completed", (ended.error, plain.error)
        assert equal(ended.output, plain.output), (ended.output, plain.output)
        assert_each_step_once(run)
        assert_at_rest(run)
        assert_invariants()


@examples
@given(definition=definitions(), data=inputs(), seed=st.integers(0, 999))
def test_a_run_that_is_cancelled_at_any_moment_leaves_nothing_behind(
    definition: dict[str, Any], data: dict[str, Any], seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    with _engine(seed) as engine:
        engine.publish(definition)
        run = engine.start("random", data)
        for _ in range(dice.randrange(12)):
            if not engine.pump.step():
                _let_time_pass(engine, dice)
        if engine.result(run).ended_at is None:
            services.cancel(run.pk)
            assert engine.result(run).status == "cancelled"
        engine.jump(minutes=1)
        assert_at_rest(run)
        assert_each_step_once(run)
        assert_invariants()


@pytest.mark.long
@examples
@given(definition=loose_definitions(), data=inputs(), seed=st.integers(0, 999))
def test_a_run_ends_or_sleeps_and_can_be_woken(
    definition: dict[str, Any], data: dict[str, Any], seed: int
) -> None:
    """Whatever fails or is waited for, nothing stands still that nobody can move."""
    dice = random.Random(seed)  # noqa: S311
    with _engine(seed) as engine:
        engine.publish(definition)
        run = engine.start("random", data)
        for _ in range(dice.randrange(60)):
            if dice.random() < 0.05:
                engine.lose_messages()
            if not engine.pump.step():
                _let_time_pass(engine, dice)
        while engine.result(run).ended_at is None and (due := engine.next_due()) is not None:
            engine.jump_to(due)
        for _ in range(2):
            engine.jump(seconds=16)  # what was lost is found
        assert_invariants()
        assert_each_step_once(run)
        if engine.result(run).ended_at is not None:
            assert_at_rest(run)
            return
        assert engine.result(run).status == "suspended"
        assert not Thread.objects.filter(run=run, state__in=("ready", "running")).exists()
        waits = Suspension.objects.filter(run=run, state="open")
        assert set(waits.values_list("kind", flat=True)) <= {"event", "person"}
        assert waits.exists()
        services.cancel(run.pk)
        assert_at_rest(run)


def assert_family_ended(run: Run, status: str) -> None:
    for each_run in family(run):
        assert each_run.status == status, each_run.error
        assert_each_step_once(each_run)
        assert_at_rest(each_run)
    assert_invariants()


@examples
@given(definitions=families(), data=inputs(), seed=st.integers(0, 999))
def test_a_family_of_runs_ends_alike_whatever_happens_to_its_messages(
    definitions: list[dict[str, Any]], data: dict[str, Any], seed: int
) -> None:
    with engine_in(Order(), _time) as engine:
        for definition in definitions:
            engine.publish(definition)
        plain = engine.run("random", data)
        assert_family_ended(plain, "completed")
    with _engine(seed) as engine:
        run = engine.start("random", data)
        work(engine, run, random.Random(seed))  # noqa: S311
        ended = engine.result(run)
        assert equal(ended.output, plain.output), (ended.output, plain.output)
        assert_family_ended(run, "completed")
        assert len(family(run)) == len(family(plain))


@examples
@given(definitions=families(), data=inputs(), seed=st.integers(0, 999))
def test_a_family_that_is_cancelled_at_any_moment_leaves_nothing_behind(
    definitions: list[dict[str, Any]], data: dict[str, Any], seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    with _engine(seed) as engine:
        for definition in definitions:
            engine.publish(definition)
        run = engine.start("random", data)
        for _ in range(dice.randrange(20)):
            if not engine.pump.step():
                _let_time_pass(engine, dice)
        if engine.result(run).ended_at is None:
            chosen = dice.choice([each_run for each_run in family(run) if not each_run.ended_at])
            services.cancel(chosen.pk)
        engine.jump(minutes=5)
        # A child that was cancelled has failed the node of its parent, and so on to the top.
        assert all(each_run.ended_at for each_run in family(run))
        for each_run in family(run):
            assert_at_rest(each_run)
            assert_each_step_once(each_run)
        assert_invariants()
