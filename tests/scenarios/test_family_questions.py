"""One queue of questions for a run and all its children, however they end."""

from functools import partial
from typing import Any

import pytest

from tests.scenarios.asking import answer, asked, begin, make_people, person, queued
from tests.support.assertions import assert_completed, assert_failed, assert_waiting_for
from tests.support.builder import ask, delay, each, edit, end, fan_in, fan_out, gosub, workflow
from tests.support.invariants import assert_invariants
from tests.support.orders import Order, engine_in
from tests.support.racing import at_once
from workflows import services
from workflows.errors import ConflictError
from workflows.models import Run, Suspension
from workflows.services.events import fire_timer
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    make_people()


def inner(**fields: Any) -> dict[str, Any]:
    late = [end("late", output={"s": "late"})] if fields.get("on_timeout") == "late" else []
    deep = ask("deep", "From ${name}?", **fields)
    return workflow("inner", deep, end(output={"s": "${output}"}), *late)


def outer(*, deep: str = "inner", **fields: Any) -> dict[str, Any]:
    """Two children and a branch of the parent that all ask."""
    return workflow(
        "outer",
        fan_out("f", one="one", own="own", two="two"),
        gosub("one", deep, input={"name": "one"}, next="keep_one", **fields),
        edit("keep_one", output="${[s]}", next="j"),
        ask("own", next="keep_own"),
        edit("keep_own", output="${[output]}", next="j"),
        delay("two", "PT1S", next="then"),
        gosub("then", deep, input={"name": "two"}, next="keep_two", **fields),
        edit("keep_two", output="${[s]}", next="j"),
        fan_in("j"),
        end(output={"said": "${output}"}),
    )


def families(engine: Harness, **fields: Any) -> Run:
    """Begin a family in which `own` is asked, and then both children's questions."""
    engine.publish(inner(**fields))
    run = begin(engine, outer())
    engine.jump(seconds=1)
    assert sorted([*asked(run), *queued(run)]) == ["deep", "deep", "own"]
    return run


def child_that_asks(run: Run, *, is_asked: bool) -> Run:
    wait = Suspension.objects.filter(family=run.pk, state="open", node="deep", is_asked=is_asked)
    return wait.order_by("turn")[0].run


def test_one_question_is_asked_across_a_run_and_its_children(engine: Harness) -> None:
    """Contract: One question of a run is active at a time, in order of arrival, across its splits and its children; the others are queued and nobody is notified of them."""  # noqa: E501
    run = families(engine)
    order = [*asked(run), *queued(run)]
    assert order[0] == "own"  # a child begins by a message of its own
    for node in order:
        assert asked(run) == [node]
        answer(run, f"to {node}")
        engine.drain()
        assert_invariants()
    assert_completed(run, {"said": ["to deep", "to own", "to deep"]})


def test_a_run_is_answered_for_its_children(engine: Harness) -> None:
    engine.publish(inner())
    run = begin(engine, workflow("outer", gosub("call", "inner", input={"name": "x"}), end()))
    assert_waiting_for(run, "call")
    told = answer(run, 5, node="deep")
    assert told.run == Run.objects.get(parent=run).pk
    engine.drain()
    assert_completed(run, {"s": 5})


def test_grandchildren_queue_with_everybody(engine: Harness) -> None:
    engine.publish(inner())
    middle = workflow("middle", gosub("call", "inner", input={"name": "x"}), end())
    engine.publish(middle)
    run = begin(engine, outer(deep="middle"))
    engine.jump(seconds=1)
    assert (asked(run), queued(run)) == (["own"], ["deep", "deep"])
    for _ in range(3):
        answer(run, "x")
        engine.drain()
    assert_completed(run, {"said": ["x", "x", "x"]})


def test_a_child_that_is_cancelled_makes_way(engine: Harness) -> None:
    run = families(engine)
    answer(run, 1, node="own")
    engine.drain()
    first, second = (child_that_asks(run, is_asked=flag) for flag in (True, False))
    services.cancel(first.pk)
    assert (asked(run), queued(run)) == (["deep"], [])  # before anything else has moved
    engine.drain()
    # The parent's node has failed with its child, and with it everything.
    assert asked(run) == []
    assert engine.result(second).status == "cancelled"
    assert_failed(run, "child_cancelled")


def test_a_child_that_was_let_go_makes_way(engine: Harness) -> None:
    engine.publish(inner())
    definition = outer(mode="detach", on_cancel="abandon")
    definition["nodes"][2]["next"] = "j"
    definition["nodes"][7]["next"] = "j"
    definition["nodes"] = [
        n for n in definition["nodes"] if n["id"] not in {"keep_one", "keep_two"}
    ]
    run = begin(engine, definition)
    engine.jump(seconds=1)
    assert (asked(run), queued(run)) == (["own"], ["deep", "deep"])
    services.cancel(run.pk)
    assert (asked(run), queued(run)) == (["deep"], ["deep"])
    services.cancel(child_that_asks(run, is_asked=True).pk)
    assert (asked(run), queued(run)) == (["deep"], [])
    last = child_that_asks(run, is_asked=True)
    answer(last, "x", node="deep")
    engine.drain()
    assert_completed(last, {"s": "x"})


def test_a_child_s_timeout_makes_way(engine: Harness) -> None:
    run = families(engine, timeout="PT1H", on_timeout="late")
    answer(run, 1, node="own")
    engine.drain()
    engine.jump(hours=1)
    assert (asked(run), queued(run)) == (["deep"], [])
    engine.jump(hours=1)
    assert_completed(run, {"said": ["late", 1, "late"]})


@pytest.mark.slow
def test_fifty_orders_of_a_family_ask_one_at_a_time(transactional_db: None) -> None:
    time = VirtualClock()  # goes on from order to order: they share the database
    definition = workflow(
        "outer",
        each("m", "call", next="end"),
        gosub("call", "inner", input={"name": "${item}"}, next="keep"),
        edit("keep", output="${s}", next=None),
        end(output={"said": "${output}"}),
    )
    for seed in range(50):
        with engine_in(Order(seed, is_fine=seed % 5 == 0), time) as engine:
            engine.publish(inner())
            run = begin(engine, definition, items=["a", "b", "c"])
            for _ in range(3):
                waits = Suspension.objects.filter(family=run.pk, state="open")
                (question,) = waits.filter(is_asked=True)
                assert question == waits.order_by("turn").first()
                assert_invariants()
                services.answer_question(question.pk, question.prompt, by=person("alice"))
                engine.double_messages()
                engine.drain()
            assert_completed(run, {"said": ["From a?", "From b?", "From c?"]})


# --- at the same moment ----------------------------------------------------------------------


def quietly(call: Any) -> bool:
    try:
        call()
    except ConflictError:
        return False
    return True


@pytest.mark.postgres
@pytest.mark.parametrize("_round", range(5))
def test_answers_timers_and_cancels_at_once_leave_one_question(
    engine: Harness, _round: int
) -> None:
    engine.publish(inner(timeout="PT1H", on_timeout="end"))
    definition = workflow(
        "outer",
        each("m", "call", merge="", next="end"),
        gosub("call", "inner", input={"name": "${item}"}, next=None, on_error="calm"),
        edit("calm", next=None),
        end(),
    )
    run = begin(engine, definition, items=list(range(6)))
    question = Suspension.objects.get(family=run.pk, state="open", is_asked=True)
    others = list(Run.objects.filter(parent=run).exclude(pk=question.run_id))
    calls = [
        partial(services.answer_question, question.pk, 1, by=person("alice")),
        partial(services.answer_question, question.pk, 2, by=person("olga")),
        partial(services.cancel, question.run_id),
        *(partial(services.cancel, child.pk) for child in others[:3]),
        partial(fire_timer, question.pk),
    ]
    done = at_once(*(partial(quietly, call) for call in calls))
    assert all(done[3:6])
    engine.drain()
    assert_invariants()
    assert len(asked(run)) == 1
    while asked(run):
        answer(run, 1)
        engine.drain()
    assert_completed(run)


@pytest.mark.postgres
def test_of_two_who_answer_at_once_one_is_told_that_he_was_late(engine: Harness) -> None:
    run = begin(engine, workflow("q", ask("ask"), end()))
    question = Suspension.objects.get(run=run)
    names = ("alice", "olga")
    calls = [
        partial(services.answer_question, question.pk, name, by=person(name)) for name in names
    ]
    done = at_once(*(partial(quietly, call) for call in calls))
    assert sorted(done) == [False, True]
    engine.drain()
    assert_completed(run, {"output": names[done.index(True)]})
