"""Splits of every sort inside of each other, in many orders."""

import pytest

from tests.support.big import BIG, ITEMS, assert_big
from tests.support.invariants import assert_invariants
from tests.support.orders import FIFTY, runs_in_every_order
from workflows.testing import Harness

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.mark.parametrize("orders", [FIFTY[:5], FIFTY[5:10]], ids=["first", "second"])
def test_everything_nested_ends_alike_in_every_order(orders: tuple[object, ...]) -> None:
    """Contract: Groups nest without limit."""
    for run in runs_in_every_order(BIG, {"items": ITEMS}, orders):  # type: ignore[arg-type]
        assert_big(run)


def test_everything_nested_survives_the_loss_of_every_message(engine: Harness) -> None:
    engine.publish(BIG)
    run = engine.start("big", {"items": ITEMS})
    for _ in range(400):
        engine.lose_messages()
        engine.jump(seconds=8)
        assert_invariants()
        if engine.result(run).ended_at is not None:
            break
    assert_big(run)
