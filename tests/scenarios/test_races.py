"""Races: the first branch to finish wins, and the others are cancelled with its end."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.activities import calls
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_failed,
    assert_waiting_for,
    part_states,
    seconds_of,
    visited,
)
from tests.support.builder import (
    activity,
    ask,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    race,
    switch,
    wait_event,
    workflow,
)
from tests.support.failing import refuse
from tests.support.invariants import assert_invariants
from tests.support.orders import (
    MANY,
    Order,
    assert_output_in_every_order,
    engine_in,
    runs_in_every_order,
)
from workflows import services
from workflows.models import Suspension, ThreadGroup
from workflows.selectors.runs import history_of
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def event_or_timer_or_person(**fields: Any) -> dict[str, Any]:
    return workflow(
        "race",
        {**race("r", event="event", timer="timer", person="person", next="end"), **fields},
        wait_event("event", "paid", result="output", next=None),
        delay("timer", "PT1H", next="late"),
        edit("late", output="too late", next=None),
        ask("person", result="output", next=None),
        end(),
    )


def test_a_timer_wins_when_nothing_else_came(engine: Harness) -> None:
    """Contract: wait for an event *or* a timer *or* an approval"""
    engine.publish(event_or_timer_or_person())
    run = engine.start("race", {"x": 1})
    engine.drain()
    assert_waiting_for(run, "event", "person", "timer")
    engine.jump(hours=1)
    assert_completed(run, {"x": 1, "output": "too late", "winner": "timer"})
    assert part_states(run) == ["cancelled", "ended", "cancelled"]
    assert_at_rest(run)


def test_an_event_wins_and_the_others_can_no_longer(engine: Harness) -> None:
    """Contract: the first to finish wins and the others are cancelled in the same transaction."""
    engine.publish(event_or_timer_or_person())
    run = engine.start("race")
    engine.drain()
    engine.send("paid", data={"amount": 5})
    assert_completed(run)
    assert run_output(engine, run)["winner"] == "event"
    assert part_states(run) == ["ended", "cancelled", "cancelled"]
    states = Suspension.objects.filter(run=run).values_list("node", "state")
    assert dict(states) == {"event": "resolved", "timer": "closed", "person": "closed"}
    engine.jump(hours=2)
    assert visited(run).count("end") == 1


def run_output(engine: Harness, run: Any) -> Any:
    return engine.result(run).output


def test_exactly_one_wins_whoever_it_is() -> None:
    names = ("a", "b", "c", "d")
    definition = workflow(
        "race",
        race("r", **{name: name for name in names}, next="after"),
        *(edit(name, output=f"${{output + ['{name}']}}", next=f"{name}2") for name in names),
        *(activity(f"{name}2", "test.echo", result="ignored", next=None) for name in names),
        activity("after", "test.count", result="times"),
        end(),
    )
    for run in runs_in_every_order(definition, {"output": ["base"]}, MANY):
        states = part_states(run)
        assert sorted(states) == ["cancelled"] * 3 + ["ended"]
        winner = names[states.index("ended")]
        assert_completed(run, {"output": ["base", winner], "winner": winner, "times": 1})
        assert visited(run).count("r") == 1


def test_nothing_is_begun_for_those_who_have_lost() -> None:
    """Of a race, no thread is started by the same worker after somebody has won."""
    calls.clear()
    definition = workflow(
        "race",
        race("r", a="a", b="b", c="c", next="end"),
        edit("a", output="a", next=None),
        activity("b", "test.count", next=None),
        activity("c", "test.count", next=None),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run)
        began = run.history.filter(node__in=("b", "c"), status="completed").count()
        assert sum(calls.values()) == began
        calls.clear()


def test_a_branch_may_be_long_and_end_at_an_end(engine: Harness) -> None:
    engine.publish(
        workflow(
            "race",
            race("r", long="long", short="short", next="after"),
            batch("long", "part", size=1, next=None),
            delay("part", "PT1S", next=None),
            delay("short", "PT3S", next="stop"),
            end("stop", output={"from": "short"}),
            edit("after", after=True),
            end(),
        )
    )
    run = engine.run("race", {"items": [1, 2]})
    assert_completed(run, {"items": [1, 2], "winner": "long", "after": True})
    assert seconds_of(run) == 1


def test_a_branch_that_splits_finishes_with_its_last_thread() -> None:
    definition = workflow(
        "race",
        race("r", many="split", slow="slow", next="end"),
        fan_out("split", x="x", y="y"),
        delay("x", "PT1S", next="j"),
        delay("y", "PT2S", next="j"),
        fan_in("j", next="joined"),
        edit("joined", output="joined", next=None),
        delay("slow", "PT3S", next=None),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"output": "joined", "winner": "many"})
        assert seconds_of(run) == 2


def test_the_loser_is_stopped_with_all_that_is_inside_of_it(engine: Harness) -> None:
    engine.publish(workflow("called", ask("ask"), end()))
    engine.publish(
        workflow(
            "race",
            race("r", go="go", deep="deep", child="child", next="rest"),
            wait_event("go", "go", next=None),
            each("deep", "inner", next=None),
            race("inner", x="x", y="y"),
            wait_event("x", "x", next=None),
            delay("y", "P1D", next=None),
            {"id": "child", "type": "gosub", "workflow": "called", "next": None},
            wait_event("rest", "rest"),
            end(output={"winner": "${winner}"}),
        )
    )
    run = engine.start("race", {"items": [1, 2]})
    engine.drain()
    engine.send("go")
    assert_waiting_for(run, "rest")
    assert_invariants()
    states = ThreadGroup.objects.filter(run=run).values_list("state", flat=True)
    assert sorted(states) == ["cancelled"] * 3 + ["joined"]
    assert Suspension.objects.get(run=run, node="child").children.get().status == "cancelled"
    engine.send("rest")
    assert_completed(run, {"winner": "go"})


def test_the_winner_s_path_can_be_chosen_or_left_out(engine: Harness) -> None:
    for winner, output in (("first.by", {"first": {"by": "a"}, "x": 1}), ("", {"x": 1})):
        engine.publish(
            workflow(
                "race",
                {**race("r", a="a", next="end"), "merge": "x", "winner": winner},
                edit("a", x=1, y=2, next=None),
                end(),
            )
        )
        assert_completed(engine.run("race"), output)


def test_a_failed_branch_fails_the_race() -> None:
    definition = workflow(
        "race",
        race("r", bad="bad", slow="slow", next="end"),
        refuse("bad", next=None),
        delay("slow", "PT1S", next=None),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_failed(run, "refused", "bad")


def test_a_failed_branch_can_be_taken_by_the_race_s_on_error() -> None:
    definition = workflow(
        "race",
        {**race("r", bad="bad", slow="slow", next="end"), "on_error": "mend"},
        refuse("bad", next=None),
        delay("slow", "PT1S", next=None),
        end(),
        edit("mend", code="${error.code}", next="end"),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run)
        assert run.output["code"] == "refused"
        assert "winner" not in run.output
        assert part_states(run) == ["failed", "cancelled"]


def test_the_others_race_on_when_a_failure_is_tolerated() -> None:
    definition = workflow(
        "race",
        {**race("r", bad="bad", slow="slow", slower="slower", next="end"),
         "tolerate": {"count": 1}},
        refuse("bad", next=None),
        delay("slow", "PT1S", next=None),
        delay("slower", "PT2S", next=None),
        end(),
    )  # fmt: skip
    errors = [{"name": "bad", "code": "refused", "message": "never again", "node": "bad"}]
    assert_output_in_every_order(definition, {}, {"winner": "slow", "errors": errors}, MANY)


def test_a_race_that_nobody_can_win_fails() -> None:
    definition = workflow(
        "race",
        {**race("r", a="a", b="b", next="end"), "tolerate": {"percent": 100}},
        refuse("a", next=None),
        refuse("b", next=None),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_failed(run, "no_winner", "r")
        assert [each["name"] for each in run.error["details"]["errors"]] == ["a", "b"]


def test_a_failure_after_somebody_has_won_changes_nothing() -> None:
    definition = workflow(
        "race",
        race("r", good="good", bad="bad", next="after"),
        edit("good", output="good", next=None),
        delay("bad", "PT1S", next="bad2"),
        refuse("bad2", next=None),
        delay("after", "PT5S"),
        end(),
    )
    assert_output_in_every_order(definition, {}, {"output": "good", "winner": "good"})


def test_races_in_a_map_in_a_loop() -> None:
    definition = workflow(
        "race",
        {"id": "loop", "type": "loop", "body": "m", "while": "loop.index < 2",
         "max_iterations": 5, "next": "end"},
        each("m", "r", merge="won", parallel=2, next="loop"),
        race("r", quick="which", slow="slow", next="keep"),
        switch("which", "quick", slow2="item > 1"),
        edit("quick", output="quick", next=None),
        delay("slow2", "PT5S", next=None),
        delay("slow", "PT1S", next=None),
        edit("keep", won="${winner}", next=None),
        end(output={"won": "${won}"}),
    )  # fmt: skip
    won = {"won": ["quick", "slow", "quick"]}
    assert_output_in_every_order(definition, {"items": [1, 2, 1]}, won)


def test_a_race_without_a_next_ends_the_run_by_its_winner(engine: Harness) -> None:
    engine.publish(workflow("race", race("r", a="a", b="b"), edit("a", x=1, next=None),
                            wait_event("b", "never", next=None)))  # fmt: skip
    assert_completed(engine.run("race", {"n": 1}), {"n": 1, "winner": "a"})


def test_an_answer_and_the_timer_of_a_race_have_one_winner_in_every_order() -> None:
    definition = workflow(
        "race",
        race("r", event="event", timer="timer", next="end"),
        wait_event("event", "now", next=None),
        delay("timer", "PT1S", next=None),
        end(output={"winner": "${winner}"}),
    )
    time = VirtualClock()
    for seed in range(50):
        with engine_in(Order(seed=seed, is_fine=bool(seed % 2)), time) as engine:
            engine.publish(definition)
            run = engine.start("race")
            engine.drain()
            # Both are there before anybody has moved.
            time.move_to(time.moment + timedelta(seconds=1))
            services.send_event("now", external_id=str(seed))
            engine.jump(minutes=1)
            assert engine.result(run).output["winner"] in ("event", "timer")
            assert sorted(part_states(run)) == ["cancelled", "ended"]
            assert_at_rest(run)


def test_the_history_tells_what_a_race_has_set(engine: Harness) -> None:
    fields = {"merge": "", "winner": "first", "tolerate": {"count": 1}}
    engine.publish(
        workflow(
            "told",
            {**race("r", quick="a", slow="b", next="end"), **fields},
            edit("a", next=None),
            delay("b", "P1D", next=None),
            end(),
        )
    )
    run = engine.run("told")
    (row,) = history_of(run).filter(node="r")
    assert row.output == {"first": "quick", "errors": []}
