"""One workflow in many orders of its messages: what it makes must not depend on them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.real import run_on_workers
from workflows.dispatch.inline import Mailbox, Message
from workflows.models import Run
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

#: Makes a message stand for about one leg of one thread, so that threads really take turns.
ONE_LEG = {"SLICE_SECONDS": 0.001, "BATCH_SECONDS": 1e-6, "SLOTS": 4}


class DoublingMailbox(Mailbox):
    """Delivers every message twice, as a broker may."""

    def add(self, message: Message) -> None:
        for _ in range(2):
            if self.messages.count(message) < 3:  # one that sends itself on doubles again
                self.messages.append(message)


@dataclass(frozen=True, slots=True)
class Order:
    """How messages are taken: shuffled by `seed`, a leg at a time, doubled."""

    seed: int | None = None
    is_fine: bool = False
    is_doubled: bool = False


_ALL = (
    Order(),
    Order(seed=3, is_fine=True),
    Order(seed=1),
    Order(is_fine=True),
    Order(seed=4, is_doubled=True),
)
#: For what could depend on who is first.
FIFTY = tuple(
    Order(seed=seed, is_fine=bool(seed % 2), is_doubled=seed % 5 == 0) for seed in range(50)
)
#: `make test-long` asks for fifty orders of every case, and then for every case on real workers.
_ASKED = os.environ.get("CELERIAC_TEST_ORDERS", "")
IS_LONG = _ASKED == "50"
ARE_REAL = _ASKED == "workers"
#: For a test that looks at more than rows.
in_process = pytest.mark.skipif(ARE_REAL, reason="asks this process what was called, or when")
#: As many as every run has time for, of what could depend on who is first.
MANY = FIFTY if IS_LONG else FIFTY[:12]
#: An order is the same on every database: on the second one two of them show what differs.
ORDERS = FIFTY if IS_LONG else _ALL if connection.vendor == "postgresql" else _ALL[:2]


#: Goes on from order to order: they share the database, in which time does not go back.
_time = VirtualClock()


@contextmanager
def engine_in(order: Order, time: VirtualClock) -> Iterator[Harness]:
    """Give an engine in process that takes its messages in this order."""
    harness = Harness((DoublingMailbox if order.is_doubled else Mailbox)(order.seed), time)
    tuning = override_settings(CELERIAC={**settings.CELERIAC, **ONE_LEG})
    with tuning if order.is_fine else nullcontext(), harness.taking_over():
        yield harness


def runs_in_every_order(
    definition: dict[str, Any],
    data: dict[str, Any] | None = None,
    orders: Sequence[Order] = ORDERS,
) -> Iterator[Run]:
    """Run a definition in every order, and look at what holds for every final run."""
    if ARE_REAL:
        yield _checked(run_on_workers(definition, data), "on workers")
        return
    for order in orders:
        with engine_in(order, _time) as engine:
            engine.publish(definition)
            yield _checked(engine.run(definition["workflow"], data), str(order))


def _checked(run: Run, order: str) -> Run:
    assert run.ended_at, f"{order}: the run is still {run.status}"
    assert_each_step_once(run)
    assert_at_rest(run)
    return run


def assert_output_in_every_order(
    definition: dict[str, Any],
    data: dict[str, Any] | None,
    output: Any,
    orders: Sequence[Order] = ORDERS,
) -> None:
    """A definition gives the same output in every order of its messages."""
    for run in runs_in_every_order(definition, data, orders):
        assert_completed(run, output)
