"""Parents and children that end, are cancelled and time out at the same moment, on PostgreSQL."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import each, edit, end, fan_in, fan_out, gosub, wait_event, workflow
from tests.support.families import child_of, family
from tests.support.invariants import assert_invariants
from tests.support.racing import at_once
from workflows import services
from workflows.errors import ConflictError
from workflows.models import Run, Suspension
from workflows.testing import Harness

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.postgres]

SUB = workflow("sub", wait_event("ask", "go", key="to_string(n)"), end())


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    with Harness.open() as harness:
        harness.publish(SUB)
        yield harness


def cancel(run_id: UUID) -> str:
    try:
        return services.cancel(run_id).status
    except ConflictError:
        return "too late"


def assert_family_at_rest(run: Run) -> None:
    for each_run in family(run):
        assert each_run.ended_at is not None
        assert_at_rest(each_run)
        assert_each_step_once(each_run)
    assert_invariants()


def test_a_child_ends_while_its_parent_is_cancelled(engine: Harness) -> None:
    engine.publish(workflow("main", gosub("call", "sub"), edit("after", x=1), end()))
    for number in range(12):
        run = engine.start("main", {"n": number})
        engine.drain()
        services.send_event("go", key=str(number))
        at_once(engine.drain, partial(cancel, run.pk), partial(cancel, child_of(run).pk))
        engine.drain()
        (wait,) = Suspension.objects.filter(run=run)
        assert wait.state in {"resolved", "closed"}
        assert_family_at_rest(run)


def test_a_child_ends_while_its_time_runs_out(engine: Harness) -> None:
    late = edit("late", late=True)
    call = gosub("call", "sub", timeout="PT1H", on_timeout="late", next="end")
    engine.publish(workflow("main", call, late, end(output={"late": "${default(late, false)}"})))
    for number in range(10):
        run = engine.start("main", {"n": number})
        engine.drain()
        wait = Suspension.objects.get(run=run)
        engine.clock.move_to(wait.wake_at or engine.clock.moment)
        services.send_event("go", key=str(number))
        at_once(engine.drain, services.sweep, engine.drain)
        engine.drain()
        wait.refresh_from_db()
        assert wait.resolved_by in {"child", "timer"}
        assert_completed(run, {"late": wait.resolved_by == "timer"})
        assert_family_at_rest(run)


def test_many_children_of_one_run_end_at_once(engine: Harness) -> None:
    call = gosub("call", "sub", input={"n": "${item}"}, output={"output": "${child.output.n}"})
    many = each("m", "call", next="end")
    engine.publish(workflow("main", many, {**call, "next": None}, end(output={"o": "${output}"})))
    run = engine.start("main", {"items": list(range(24))})
    engine.drain()
    for number in range(24):
        services.send_event("go", key=str(number))
    at_once(*[engine.drain] * 6)
    engine.drain()
    assert_completed(run, {"o": list(range(24))})
    assert_family_at_rest(run)


def test_events_for_all_meet_the_ends_of_children(engine: Harness) -> None:
    """They lock parents and children alike; nobody is told of a deadlock."""
    both = fan_out("f", a="call", b="own")
    own = wait_event("own", "go", key="'all'", next="j")
    inner = workflow("inner", wait_event("ask", "go", key="'all'"), end())
    engine.publish(inner)
    engine.publish(
        workflow("main", both, gosub("call", "inner", next="j"), own, fan_in("j"), end())
    )
    for _ in range(5):
        runs = [engine.start("main") for _ in range(4)]
        engine.drain()
        at_once(
            partial(services.send_event, "go", key="all", deliver="all"),
            *(partial(cancel, run.pk) for run in runs[:2]),
            partial(services.send_event, "go", key="all", deliver="all"),
            engine.drain,
        )
        engine.drain()
        for run in runs:
            assert_family_at_rest(run)
        for run in runs[2:]:
            assert_completed(run)
