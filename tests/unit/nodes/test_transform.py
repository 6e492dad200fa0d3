import pytest

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError, PathError
from workflows.nodes.outcomes import Continue


def test_the_value_of_an_expression_is_put_at_a_path() -> None:
    made = node("transform", value="[a, b].map(x, x * 2)", result="c.d").run(a=1, b=2)
    assert made == Continue({"a": 1, "b": 2, "c": {"d": [2, 4]}})


def test_output_is_the_path_when_none_is_given() -> None:
    assert node("transform", value="run.id").run() == Continue({"output": "r1"})


def test_what_is_absent_fails_and_changes_nothing() -> None:
    context = {"a": 1}
    with pytest.raises(ExpressionError):
        node("transform", value="b.c").run(**context)
    assert context == {"a": 1}


def test_a_path_through_a_scalar_fails() -> None:
    with pytest.raises(PathError):
        node("transform", value="1", result="a.b").run(a=1)
