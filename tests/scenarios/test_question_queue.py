"""The question queue of a run: one is asked at a time, and whatever ends it asks the next."""

from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.asking import answer, asked, begin, make_people, person, queued
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_waiting_for,
)
from tests.support.builder import (
    activity,
    ask,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    race,
    workflow,
)
from tests.support.invariants import assert_invariants
from tests.support.orders import Order, engine_in
from workflows import services
from workflows.errors import ConflictError, NodeError
from workflows.models import NodeExecution, Suspension
from workflows.nodes import registry
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Outcome, Suspend
from workflows.nodes.suspensions import PersonWait
from workflows.selectors.questions import open_questions, visible_questions
from workflows.services import questions
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    make_people()


def three(**fields: Any) -> dict[str, Any]:
    """Three branches that ask at once, and one that does something else."""
    return workflow(
        "three",
        fan_out("f", a="a", b="b", c="c", d="work"),
        ask("a", next="keep_a", **fields),
        edit("keep_a", output="${[output]}", next="j"),
        ask("b", next="keep_b", **fields),
        edit("keep_b", output="${[output]}", next="j"),
        ask("c", next="keep_c", **fields),
        edit("keep_c", output="${[output]}", next="j"),
        delay("work", "PT1H", next="worked"),
        edit("worked", next="j"),
        fan_in("j"),
        end(output={"said": "${output}"}),
    )


def test_one_question_is_asked_at_a_time_in_order_of_arrival(engine: Harness) -> None:
    """Contract: One question of a run is active at a time, in order of arrival, across its splits and its children; the others are queued and nobody is notified of them."""  # noqa: E501
    run = begin(engine, three())
    assert (asked(run), queued(run)) == (["a"], ["b", "c"])
    assert [each.node for each in open_questions(person("alice"))] == ["a"]
    assert [each.node for each in visible_questions(person("olga"))] == ["a"]
    with pytest.raises(ConflictError) as caught:
        answer(run, "early", node="b")
    assert caught.value.details["turn"] == 2
    for number, node in enumerate("abc"):
        assert asked(run) == [node]
        answer(run, number)
        engine.drain()
    engine.jump(hours=1)
    assert_completed(run, {"said": [0, 1, 2]})


def test_answering_asks_the_next_in_the_same_transaction(engine: Harness) -> None:
    """Contract: Answering one activates and announces the next in the same transaction."""
    run = begin(engine, three())
    answer(run, 1)
    assert asked(run) == ["b"]  # nobody has worked anything off yet


def test_others_move_while_a_question_is_open(engine: Harness) -> None:
    """Contract: If other threads of the run can move they do (the run stays `running`)."""
    definition = three()
    definition["nodes"][8] = {
        **activity("work", "test.fail_until", input={"attempt": 2}, next="worked"),
        "retry": {"attempts": 2, "backoff": "PT1M"},
    }
    run = begin(engine, definition)
    assert engine.result(run).status == "running"
    engine.jump(minutes=1)
    assert_waiting_for(run, "a", "b", "c")
    answer(run, 1)
    assert engine.result(run).status == "running"
    engine.drain()
    assert_waiting_for(run, "b", "c")


def test_a_timeout_counts_from_being_asked_and_asks_the_next(engine: Harness) -> None:
    run = begin(engine, three(timeout="PT2H", on_timeout="j"))
    engine.jump(hours=2)
    assert (asked(run), queued(run)) == (["b"], ["c"])
    due = Suspension.objects.get(run=run, node="b").wake_at
    assert due == engine.clock.moment + timedelta(hours=2)
    assert Suspension.objects.get(run=run, node="c").wake_at is None
    engine.jump(hours=1)
    answer(run, "in time")
    engine.drain()
    assert asked(run) == ["c"]
    engine.jump(hours=1, minutes=59)
    assert asked(run) == ["c"]
    engine.jump(minutes=1)
    assert_completed(run, {"said": ["in time"]})


def test_an_end_that_stops_everything_closes_every_question(engine: Harness) -> None:
    definition = three()
    definition["nodes"].append({"id": "stop", "type": "end", "terminate": True})
    definition["nodes"][9]["next"] = "stop"
    run = begin(engine, definition)
    engine.jump(hours=1)
    assert engine.result(run).status == "completed"
    assert_at_rest(run)
    assert not visible_questions(person("olga")).filter(state="open").exists()
    assert [each.node for each in visible_questions(person("olga"))] == ["a"]


def test_a_cancelled_run_asks_nobody(engine: Harness) -> None:
    run = begin(engine, three())
    services.cancel(run.pk)
    assert (asked(run), queued(run)) == ([], [])
    with pytest.raises(ConflictError):
        answer(run, 1)


def test_runs_do_not_wait_for_each_other(engine: Harness) -> None:
    one, two = begin(engine, three()), begin(engine, three())
    assert (asked(one), asked(two)) == (["a"], ["a"])


def test_a_family_that_asks_nobody_is_found_by_the_sweeper(engine: Harness) -> None:
    run = begin(engine, three())
    Suspension.objects.filter(run=run, node="a").update(is_asked=False)
    swept = services.sweep()
    assert swept is not None
    assert swept.asked == 1
    assert asked(run) == ["a"]
    assert not questions.ask_again(run.pk)


@pytest.mark.slow
def test_fifty_orders_ask_one_at_a_time_and_lose_none(transactional_db: None) -> None:
    definition = workflow(
        "many",
        each("m", "wait", next="end"),
        delay("wait", "PT${item % 3}S", next="ask"),
        ask("ask", "Number ${item}?", next=None),
        end(output={"said": "${output}"}),
    )
    time = VirtualClock()  # goes on from order to order: they share the database
    for seed in range(50):
        with engine_in(Order(seed, is_fine=seed % 5 == 0), time) as engine:
            run = begin(engine, definition, items=[0, 1, 2, 3])
            engine.jump(seconds=2)
            for _ in range(4):
                waits = Suspension.objects.filter(family=run.pk, state="open")
                (question,) = waits.filter(is_asked=True)
                assert question == waits.order_by("turn").first()
                assert_invariants()
                services.answer_question(question.pk, question.prompt, by=person("alice"))
                engine.double_messages()
                engine.drain()
            assert_completed(run, {"said": [f"Number {n}?" for n in range(4)]})
            assert_each_step_once(run)


# --- plug-ins in the queue -------------------------------------------------------------------


class Counter(Kind[Any]):
    """A plug-in that asks by rows of its own, one at a time."""

    name = "counter"
    is_bounded = True
    told: list[tuple[str, str, Any]] = []

    def run(self, call: NodeCall[Any]) -> Outcome:
        return Suspend(PersonWait({"n": call.context["n"]}, is_exclusive=True))

    def on_suspended(self, suspension_id: str, call: NodeCall[Any], wait: PersonWait) -> None:
        if call.context.get("nobody") == call.config.id:
            raise NodeError("nobody_there", "Nobody could answer this.")
        assert Suspension.objects.get(pk=suspension_id).is_asked
        self.told.append(("asked", call.config.id, (wait.data["n"], call.context["n"])))

    def on_closed(self, suspension_id: str, by: str) -> None:
        self.told.append(("closed", Suspension.objects.get(pk=suspension_id).node, by))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    monkeypatch.setattr(Counter, "Config", registry.kinds()["delay"].Config, raising=False)
    monkeypatch.setitem(registry._plugins, "counter", Counter())
    Counter.told.clear()
    return Counter.told


def mixed(**fields: Any) -> dict[str, Any]:
    """One question of the engine's, and two of a plug-in's."""
    return workflow(
        "mixed",
        fan_out("f", a="a", b="b", c="c"),
        ask("a", next="j"),
        {"id": "b", "type": "counter", "next": "j", **fields},
        {"id": "c", "type": "counter", "next": "j"},
        fan_in("j"),
        end(),
    )


def test_a_plug_in_hears_of_its_question_when_it_is_its_turn(
    engine: Harness, told: list[tuple[str, str, Any]]
) -> None:
    run = begin(engine, mixed(), n=7)
    assert told == []
    answer(run, 1, node="a")
    assert told == [("asked", "b", (7, 7))]
    services.cancel(run.pk)
    assert told == [("asked", "b", (7, 7)), ("closed", "b", "cancel")]


def test_a_question_that_its_plug_in_refuses_fails_its_node_and_no_answer(
    engine: Harness, told: list[tuple[str, str, Any]]
) -> None:
    run = begin(engine, mixed(on_error="j"), n=7, nobody="b")
    assert answer(run, 1, node="a").by == "olga"
    assert told == []
    engine.drain()
    assert told == [("asked", "c", (7, 7))]
    failed = NodeExecution.objects.get(run=run, node="b", status="failed")
    assert failed.error["code"] == "nobody_there"
    assert Suspension.objects.get(run=run, node="b").resolved_by == "refused"


# --- branches that are given up --------------------------------------------------------------


def test_a_branch_that_a_partial_join_gives_up_makes_way(engine: Harness) -> None:
    definition = workflow(
        "partial",
        fan_out("f", inner="inner", later="later"),
        fan_out("inner", a="a", b="b"),
        ask("a", next="first"),
        delay("b", "PT1H", next="first"),
        fan_in("first", wait_for="any", next="j"),
        delay("later", "PT1S", next="own"),
        ask("own", next="j"),
        fan_in("j"),
        end(),
    )
    run = begin(engine, definition)
    engine.jump(seconds=1)
    assert (asked(run), queued(run)) == (["a"], ["own"])
    engine.jump(hours=1)
    assert (asked(run), queued(run)) == (["own"], [])
    assert Suspension.objects.get(run=run, node="a").state == "closed"
    answer(run, 1)
    engine.drain()
    assert_completed(run)


def test_the_first_of_a_race_closes_the_question_of_the_other(engine: Harness) -> None:
    definition = workflow(
        "raced",
        fan_out("f", r="r", later="later"),
        race("r", person="a", timer="t", next="j"),
        ask("a", next=None),
        delay("t", "PT1H", next=None),
        delay("later", "PT1S", next="own"),
        ask("own", next="j"),
        fan_in("j"),
        end(),
    )
    run = begin(engine, definition)
    engine.jump(seconds=1)
    assert (asked(run), queued(run)) == (["a"], ["own"])
    engine.jump(hours=1)
    assert (asked(run), queued(run)) == (["own"], [])
    answer(run, 1)
    engine.drain()
    assert_completed(run)
