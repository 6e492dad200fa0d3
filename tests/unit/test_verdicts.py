"""When a group is over, by its counts alone."""

import pytest

from workflows.engine.verdicts import Rule, tolerated
from workflows.errors import ExpressionError
from workflows.store.rows import Tally


def tally(arrived: int = 0, ended: int = 0, failed: int = 0, live: int = 0) -> Tally:
    return Tally(arrived, ended, failed, live)


@pytest.mark.parametrize(
    ("wait_for", "counts", "expected"),
    [
        ("all", tally(arrived=2, live=1), False),
        ("all", tally(arrived=1, ended=1, failed=1), True),
        ("any", tally(live=3), False),
        ("any", tally(ended=1, failed=1, live=1), False),
        ("any", tally(arrived=1, live=2), True),
        (2, tally(arrived=1, live=2), False),
        (2, tally(arrived=2, live=1), True),
        ("group.arrived + group.failed == group.expected - 1", tally(1, 0, 1, 1), True),
        ("group.live < most", tally(live=2), True),
    ],
)
def test_what_a_join_waits_for(wait_for: int | str, counts: Tally, *, expected: bool) -> None:
    assert Rule(wait_for).holds(counts, 3, {"most": 3}) is expected


def test_a_race_is_won_by_whoever_finishes() -> None:
    race = Rule("any", has_join=False)
    assert race.holds(tally(ended=1, live=1), 2, {})
    assert not race.holds(tally(failed=1, live=1), 2, {})


def test_a_condition_must_be_one() -> None:
    with pytest.raises(ExpressionError):
        Rule("group.arrived").holds(tally(), 3, {})


@pytest.mark.parametrize(
    ("tolerate", "expected", "allowed"),
    [
        (None, 10, 0),
        ({"count": 3}, 10, 3),
        ({"count": 0}, 10, 0),
        ({"percent": 0}, 10, 0),
        ({"percent": 25}, 10, 2),
        ({"percent": 33.4}, 3, 1),
        ({"percent": 33.3}, 3, 0),
        ({"percent": 29}, 100, 29),
        ({"percent": 18.4}, 375, 69),
        ({"percent": 0.57}, 10_000, 57),
        ({"percent": 100}, 10_000, 10_000),
    ],
)
def test_how_many_may_fail(tolerate: dict[str, float] | None, expected: int, allowed: int) -> None:
    assert tolerated(tolerate, expected) == allowed
