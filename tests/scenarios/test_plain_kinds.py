"""The kinds that begin, end, edit and decide, each sentence shown by a run."""

from typing import Any

import pytest

from tests.support.activities import calls
from tests.support.builder import (
    activity,
    delay,
    edit,
    end,
    fan_out,
    switch,
    wait_event,
    workflow,
)
from workflows.errors import DefinitionError
from workflows.models import NodeExecution, Run
from workflows.testing import Harness, assert_at_rest, assert_completed, assert_failed, visited

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def engine() -> Any:
    with Harness.open() as harness:
        yield harness


def refused(engine: Harness, definition: dict[str, Any]) -> set[str]:
    with pytest.raises(DefinitionError) as caught:
        engine.publish(definition)
    return {problem.code for problem in caught.value.problems}


# --- start -------------------------------------------------------------------------------------


def begun(engine: Harness, data: dict[str, Any], *entries: dict[str, Any]) -> Run:
    start = {"id": "start", "type": "start", "init": list(entries), "next": "end"}
    engine.publish({"workflow": "begun", "nodes": [start, end()]})
    return engine.run("begun", data)


def test_a_workflow_has_one_start(engine: Harness) -> None:
    """Contract: Exactly one `start` in a workflow."""
    nodes = [{"id": name, "type": "start", "next": "end"} for name in ("a", "b")]
    assert "start_repeated" in refused(engine, {"workflow": "w", "nodes": [*nodes, end()]})
    assert "start_missing" in refused(engine, {"workflow": "w", "nodes": [end()]})


def test_without_init_the_input_is_the_context(engine: Harness) -> None:
    """Contract: Without `init` the input is the context."""
    engine.publish(workflow("w", end()))
    assert_completed(engine.run("w", {"a": 1, "b": [2]}), {"a": 1, "b": [2]})


def test_init_makes_a_context_of_its_entries(engine: Harness) -> None:
    """Contract: With `init` (may be empty) a new context of only the listed entries."""
    assert_completed(begun(engine, {"a": 1, "b": 2}), {})
    entries = [{"path": "a"}, {"path": "c.d", "value": "${b + 1}"}]
    assert_completed(begun(engine, {"a": 1, "b": 2}, *entries), {"a": 1, "c": {"d": 3}})


def test_null_is_provided(engine: Harness) -> None:
    """Contract: Present with null counts as provided."""
    entry = {"path": "a", "default": 7, "type": "integer"}
    assert_completed(begun(engine, {"a": None}, entry), {"a": None})


def test_what_is_required_and_absent_is_an_error(engine: Harness) -> None:
    """Contract: Required and absent is an error."""
    assert_failed(begun(engine, {"b": 1}, {"path": "a"}), "input_missing", "start")


def test_what_is_absent_and_optional_takes_its_default(engine: Harness) -> None:
    """Contract: Absent and optional takes the default."""
    entries = [{"path": "a", "required": False, "default": 7}, {"path": "b", "required": False}]
    run = begun(engine, {}, *entries)
    assert run.output["a"] == 7
    assert_completed(run)


# --- end ---------------------------------------------------------------------------------------


def ended(engine: Harness, data: dict[str, Any], **fields: Any) -> Run:
    engine.publish(workflow("ended", end(**fields)))
    return engine.run("ended", data)


def test_without_output_nothing_changes(engine: Harness) -> None:
    """Contract: Without `output` no change."""
    assert_completed(ended(engine, {"a": {"b": 1}}), {"a": {"b": 1}})


def test_the_output_is_only_what_is_mapped(engine: Harness) -> None:
    """Contract: With `output` the output is only what is mapped."""
    run = ended(engine, {"a": 1, "b": 2}, output={"x.y": "${a}", "z": "b is ${b}"})
    assert_completed(run, {"x": {"y": 1}, "z": "b is 2"})


def test_what_is_absent_is_left_out(engine: Harness) -> None:
    """Contract: An entry that is exactly `${path}` of something absent is skipped."""
    assert_completed(ended(engine, {"a": 1}, output={"x": "${a.b}", "y": "${a}"}), {"y": 1})


def test_an_empty_mapping_gives_an_empty_object(engine: Harness) -> None:
    """Contract: An empty mapping gives `{}`."""
    assert_completed(ended(engine, {"a": 1}, output={}), {})


def test_blank_paths_are_errors(engine: Harness) -> None:
    """Contract: Blank paths are errors."""
    assert refused(engine, workflow("w", end(output={" ": 1})))


def test_a_target_that_cannot_be_set_is_a_warning(engine: Harness) -> None:
    """Contract: A target that cannot be set is skipped and recorded as a warning."""
    run = ended(engine, {}, output={"x": 1, "x.y": 2, "z": 3})
    assert_completed(run, {"x": 1, "z": 3})
    (warning,) = NodeExecution.objects.get(run=run, node="end").output["warnings"]
    assert "'x.y' was left out" in warning


@pytest.mark.parametrize("result", ["allowed", "blocked"])
def test_an_end_gives_its_result_and_reason(engine: Harness, result: str) -> None:
    """Contract: `result: allowed / blocked` with `reason`."""
    run = ended(engine, {"who": "Lena"}, result=result, reason="said ${who}")
    assert_completed(run, result=result)
    assert run.reason == "said Lena"


def test_an_end_can_stop_every_other_thread(engine: Harness) -> None:
    """Contract: `terminate: true` stops every other thread."""
    never = wait_event("never", "never", next=None)
    split = fan_out("f", a="never", b="stop")
    engine.publish(workflow("w", split, never, end("stop", terminate=True)))
    run = engine.run("w", {"n": 1})
    assert_completed(run, {"n": 1})
    assert_at_rest(run)


# --- edit --------------------------------------------------------------------------------------


def edited(engine: Harness, data: dict[str, Any], *entries: dict[str, Any]) -> Run:
    node = {"id": "edit", "type": "edit", "entries": list(entries)}
    engine.publish(workflow("edited", node, end()))
    return engine.run("edited", data)


def test_entries_are_applied_in_their_order(engine: Harness) -> None:
    """Contract: `entries` in the listed order."""
    entries: list[dict[str, Any]] = [
        {"set": "a", "value": "${a + 1}"},
        {"set": "b", "value": "${a}"},
        {"delete": "a"},
    ]
    assert_completed(edited(engine, {"a": 1}, *entries), {"b": 2})


def test_values_are_set_deleted_moved_and_copied(engine: Harness) -> None:
    """Contract: `{set}`, `{delete}`, `{move, to}`, `{copy, to}`."""
    entries: list[dict[str, Any]] = [
        {"set": "new.deep", "value": 1},
        {"delete": "old"},
        {"move": "here", "to": "there"},
        {"copy": "there", "to": "again"},
        {"delete": "never.was"},
    ]
    run = edited(engine, {"old": 0, "here": [2]}, *entries)
    assert_completed(run, {"new": {"deep": 1}, "there": [2], "again": [2]})


def test_values_are_json_with_expressions(engine: Harness) -> None:
    """Contract: Values are JSON with `${}`."""
    value = {"typed": "${n}", "text": "n is ${n}", "list": [1, "${n > 1}"], "plain": "$n"}
    told = {"typed": 2, "text": "n is 2", "list": [1, True], "plain": "$n"}
    assert_completed(edited(engine, {"n": 2}, {"set": "v", "value": value}), {"n": 2, "v": told})


# --- switch ------------------------------------------------------------------------------------


def way(engine: Harness, data: dict[str, Any], *choices: dict[str, Any]) -> Run:
    node = {"id": "s", "type": "switch", "choices": list(choices), "default": "else"}
    nodes = [edit(name, way=name, next="end") for name in ("a", "b", "else")]
    engine.publish(workflow("way", node, *nodes, end(output={"way": "${way}"})))
    return engine.run("way", data)


BOTH = ({"when": "n > 1", "next": "a"}, {"when": "n > 0", "next": "b"})


@pytest.mark.parametrize(("n", "taken"), [(2, "a"), (1, "b"), (0, "else")])
def test_the_first_true_choice_is_taken(engine: Harness, n: int, taken: str) -> None:
    """Contract: `choices` in order. All conditions evaluated until one wins."""
    assert_completed(way(engine, {"n": n}, *BOTH), {"way": taken})


def test_what_comes_behind_the_winner_is_not_evaluated(engine: Harness) -> None:
    """Contract: `choices` in order. All conditions evaluated until one wins."""
    run = way(engine, {"n": 2}, BOTH[0], {"when": "n.nothing > 1", "next": "b"})
    assert_completed(run, {"way": "a"})


def test_a_blank_condition_is_passed_over(engine: Harness) -> None:
    """Contract: A choice whose condition is blank is passed over."""
    assert_completed(way(engine, {"n": 2}, {"when": " ", "next": "b"}, *BOTH), {"way": "a"})


def test_a_true_choice_without_next_is_passed_over(engine: Harness) -> None:
    """Contract: A true choice without `next` is passed over and the search goes on."""
    assert_completed(way(engine, {"n": 2}, {"when": "n > 0"}, *BOTH), {"way": "a"})


def test_a_switch_needs_a_default(engine: Harness) -> None:
    """Contract: `default` is required."""
    node = {"id": "s", "type": "switch", "choices": [{"when": "n > 1", "next": "end"}]}
    assert refused(engine, workflow("w", node, end()))


@pytest.mark.parametrize("condition", ["n", "'yes'", "n.nothing > 1", "missing"])
def test_what_is_not_true_or_false_fails_the_switch(engine: Harness, condition: str) -> None:
    """Contract: A non-boolean or an error fails the node."""
    run = way(engine, {"n": 2}, {"when": condition, "next": "a"}, {"when": "true", "next": "b"})
    assert run.status == "failed"
    assert run.error["node"] == "s"


# --- activity and delay ------------------------------------------------------------------------


def test_an_activity_is_called_and_its_answer_kept(engine: Harness) -> None:
    """Contract: Calls a registered function with `input`, its answer at `result` (`output`)."""
    call = {"input": {"number": "${n}"}}
    engine.publish(
        workflow(
            "w",
            activity("one", "test.double", **call),
            activity("two", "test.double", result="a.b", **call),
            end(),
        )
    )
    assert_completed(engine.run("w", {"n": 3}), {"n": 3, "output": 6, "a": {"b": 6}})


def test_an_activity_takes_what_its_hints_say(engine: Harness) -> None:
    """Contract: JSON Schema from its type hints."""
    engine.publish(workflow("w", activity("a", "test.double", input={"number": "${n}"}), end()))
    assert_failed(engine.run("w", {"n": "three"}), "activity_input", "a")


def test_an_activity_has_one_key_in_every_attempt(engine: Harness) -> None:
    """Contract: Given `ActivityContext` with run, attempt, idempotency key, heartbeat, logger."""
    calls.clear()
    retry = {"attempts": 3, "backoff": "PT1S"}
    fails = activity("a", "test.fail_until", input={"attempt": 3}, retry=retry)
    engine.publish(workflow("w", fails, activity("b", "test.count", result="b"), end()))
    run = engine.run("w")
    assert_completed(run, {"output": 3, "b": 1})
    thread = run.threads.get()
    step = NodeExecution.objects.get(run=run, node="b")
    assert set(calls) == {f"{run.pk}:{thread.pk}:{step.seq}"}


def test_a_delay_is_a_row(engine: Harness) -> None:
    """Contract: Rows, not broker ETAs."""
    engine.publish(workflow("w", delay("d", "P90D"), end()))
    run = engine.start("w")
    engine.drain()
    assert engine.lose_messages() == 0  # there is nothing to lose
    assert run.suspensions.get().wake_at == engine.next_due()
    engine.jump(days=90)
    assert_completed(run)


def test_a_switch_changes_nothing_on_its_way(engine: Harness) -> None:
    engine.publish(workflow("w", switch("s", "end", other="n > 1"), edit("other", n=0), end()))
    run = engine.run("w", {"n": 1})
    assert_completed(run, {"n": 1})
    assert visited(run) == ["start", "s", "end"]
