"""Time limits of activities, wherever they strike."""

import signal

import pytest

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import activity, end, workflow
from workflows.engine import call
from workflows.models import QueueState
from workflows.testing import Harness

pytestmark = [
    pytest.mark.both_databases,
    # A limit may strike in a finaliser, where Python cannot raise: it strikes again later.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMES = [
    "test.write_for_ever",
    "test.write_for_ever_with_the_step",
    "test.deaf",
]


def publish(engine: Harness, name: str) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    late = activity("late", name, input={"name": "late"}, timeout="PT0.05S", retry=retry)
    engine.publish(workflow("late", late, end()))
    engine.publish(workflow("next", activity("a", "test.write", input={"name": "next"}), end()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NAMES)
def test_the_attempt_fails_and_the_engine_goes_on(engine: Harness, name: str) -> None:
    """Contract: `timeout` ends an attempt."""
    publish(engine, name)
    run = engine.run("late")
    assert_failed(run, "timeout", "late")
    assert engine.result(run).error["attempt"] == 2
    assert_completed(engine.run("next"))
    assert [state.name for state in QueueState.objects.all()] == ["next"]


@pytest.mark.django_db
def test_the_transaction_of_a_test_case_outlives_it() -> None:
    """Users' own tests run inside one transaction: a limit must not roll it back."""
    with Harness.open() as engine:
        late = activity("late", "test.linger", input={"seconds": 9}, timeout="PT0.01S")
        engine.publish(workflow("late", late, end()))
        QueueState.objects.create(name="mine", next_at=engine.clock())
        run = engine.start("late")
        engine.jump(minutes=1)
        assert_failed(run, "timeout", "late")
        assert QueueState.objects.filter(name="mine").exists()


@pytest.mark.django_db(transaction=True)
def test_an_activity_that_passes_over_its_limit_is_struck_again(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "_AGAIN", 0.05)
    publish(engine, "test.deaf_at_first")
    assert_failed(engine.run("late"), "timeout", "late")
    assert_completed(engine.run("next"))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_struck_once_an_activity_is_over(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "_AGAIN", 0.05)
    publish(engine, "test.deaf")
    before = signal.getsignal(signal.SIGALRM)
    for _ in range(20):
        assert_failed(engine.run("late"), "timeout", "late")
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        assert signal.getsignal(signal.SIGALRM) == before
