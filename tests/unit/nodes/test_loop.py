from typing import Any

from tests.unit.nodes.bench import node
from workflows.nodes.outcomes import Continue, Enter, Fail, Outcome


def loop(**config: Any) -> Any:
    return node("loop", body="b", next="n", **config)


def again(made: Any, index: int, **context: Any) -> Outcome:
    state = {"index": index, "around": []}
    outcome: Outcome = made.kind.again(made.call(context), state)
    return outcome


def test_while_is_asked_before_each_time() -> None:
    made = loop(max_iterations=9, **{"while": "loop.index < 2"})
    assert made.run(a=1) == Enter(
        {"a": 1, "loop": {"index": 0}}, {"index": 0, "around": []}, port="body"
    )
    context = {"a": 1, "loop": {"index": 1}}
    assert again(made, 1, **context) == Continue(context)


def test_until_is_asked_before_each_time() -> None:
    made = loop(max_iterations=9, until="done")
    assert made.run(done=True) == Continue({"done": True})
    assert isinstance(made.run(done=False), Enter)


def test_the_limit_is_looked_at_before_the_condition() -> None:
    made = loop(max_iterations=2, on_limit="over", **{"while": "nonsense"})
    assert again(made, 1) == Continue({}, port="on_limit")


def test_without_on_limit_reaching_it_fails() -> None:
    outcome = again(loop(max_iterations=1, until="false"), 0)
    assert isinstance(outcome, Fail)
    assert outcome.code == "loop_limit"


def test_leaving_puts_an_outer_loop_back() -> None:
    kind = loop(max_iterations=1, until="true").kind
    inside = {"a": 1, "loop": {"index": 4}}
    assert kind.left(inside, {"index": 4, "around": []}) == {"a": 1}
    outer = {"index": 4, "around": [{"index": 7}]}
    assert kind.left(inside, outer) == {"a": 1, "loop": {"index": 7}}


def test_a_loop_has_one_condition_or_a_way_out_at_the_limit() -> None:
    both = loop(max_iterations=1, until="a", **{"while": "b"})
    assert [pointer for pointer, _ in both.problems] == ["/until"]
    assert loop(max_iterations=1).problems
    assert not loop(max_iterations=1, on_limit="x").problems
