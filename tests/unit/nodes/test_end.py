import pytest

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Finish


def test_without_output_the_context_is_the_output() -> None:
    assert node("end").run(a=1, b=[2]) == Finish({"a": 1, "b": [2]})


def test_output_has_only_what_is_mapped() -> None:
    end = node("end", output={"refund.id": "${a.id}", "text": "no ${a.id}", "fixed": [1, None]})
    assert end.run(a={"id": 7}, b=2) == Finish(
        {"refund": {"id": 7}, "text": "no 7", "fixed": [1, None]}
    )


def test_an_entry_that_is_exactly_the_path_of_something_absent_is_skipped() -> None:
    outcome = node("end", output={"a": "${b.c}", "d": "${e}"}).run(b={}, e=None)
    assert outcome == Finish({"d": None})


def test_an_absent_name_inside_a_longer_text_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        node("end", output={"a": "no ${missing}"}).run()


def test_an_empty_mapping_gives_an_empty_object() -> None:
    assert node("end", output={}).run(a=1) == Finish({})


@pytest.mark.parametrize("path", ["", "  ", "a..b", "[0"])
def test_check_refuses_what_is_no_path(path: str) -> None:
    ((pointer, message),) = node("end", output={path: 1, "fine": 2}).problems
    assert pointer == f"/output/{path}"
    assert "path" in message


def test_a_pointer_to_a_key_with_slashes_is_escaped() -> None:
    ((pointer, _),) = node("end", output={"a/~b": 1}).problems
    assert pointer == "/output/a~1~0b"


def test_a_target_that_cannot_be_set_is_skipped_and_recorded() -> None:
    outcome = node("end", output={"a": 1, "a.b": 2, "c[0]": 3, "d": 4}).run()
    assert isinstance(outcome, Finish)
    assert outcome.output == {"a": 1, "d": 4}
    assert len(outcome.warnings) == 2
    assert "'a.b'" in outcome.warnings[0]
    assert "'c[0]'" in outcome.warnings[1]


@pytest.mark.parametrize("result", ["ok", "allowed", "blocked"])
def test_result_comes_with_a_reason(result: str) -> None:
    outcome = node("end", result=result, reason="said ${who}").run(who="Ada")
    assert isinstance(outcome, Finish)
    assert (outcome.result, outcome.reason) == (result, "said Ada")


def test_a_reason_that_is_one_expression_becomes_text() -> None:
    end = node("end", reason="${decision.comment}", output={})
    assert end.run(decision={"comment": "too dear"}) == Finish({}, reason="too dear")
    assert end.run(decision={"comment": None}) == Finish({})
    assert end.run(decision={}) == Finish({})
    assert end.run(decision={"comment": [1, "ä"]}) == Finish({}, reason='[1, "ä"]')


def test_terminate_is_off_unless_asked_for() -> None:
    assert node("end", terminate=True).run() == Finish({}, terminate=True)
    assert node("end").run() == Finish({}, terminate=False)


def test_it_leads_nowhere() -> None:
    assert node("end").ports == {}
