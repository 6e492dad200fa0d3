import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Fail


def test_the_run_fails_for_good_with_code_and_message() -> None:
    outcome = node("fail", code="no_stock", message="No ${item.name} left").run(
        item={"name": "tea"}
    )
    assert outcome == Fail("no_stock", "No tea left", fatal=True)


def test_code_and_message_can_be_one_expression() -> None:
    outcome = node("fail", code="${error.code}", message="${error}").run(error={"code": "busy"})
    assert outcome == Fail("busy", '{"code": "busy"}', fatal=True)


@pytest.mark.parametrize("code", [None, "", "  "])
def test_a_code_that_comes_out_blank_is_failed(code: str | None) -> None:
    assert node("fail", code="${c}").run(c=code) == Fail("failed", "", fatal=True)
    assert node("fail").run() == Fail("failed", "", fatal=True)


def test_long_texts_are_cut() -> None:
    outcome = node("fail", code="${t}", message="${t}").run(t="x" * 5000)
    assert outcome == Fail("x" * 100, "x" * 2000, fatal=True)


def test_a_template_that_fails_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        node("fail", message="because ${missing}").run()


def test_it_leads_nowhere() -> None:
    assert node("fail").ports == {}
    with pytest.raises(ValidationError, match="next"):
        node("fail", next="x")
