"""Templates: typed values, text, escapes, and problems with their pointers."""

from collections.abc import Callable
from typing import Any

import pytest

from workflows.absent import ABSENT
from workflows.errors import ExpressionError, ExpressionLimitError
from workflows.expressions import check_template, evaluate, render, render_entry

SCOPE: dict[str, Any] = {
    "order": {"id": 7, "ratio": 1.0, "name": "Ada", "note": None, "tags": ["a", 1]},
    "paid": True,
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${order.id}", 7),
        ("${ order.id }", 7),
        ("${order}", SCOPE["order"]),
        ("${order.note}", None),
        ("order ${order.id}", "order 7"),
        ("${order.name}${order.id}", "Ada7"),
        (" ${order.id}", " 7"),
        ("${order.ratio}!", "1.0!"),
        ("${order.note}!", "null!"),
        ("${paid}!", "true!"),
        ("${order.tags}!", '["a",1]!'),
        ("${ {'a': '}'}.a }", "}"),
        ("${ {'a': {'b': 1}}.a.b }", 1),
        ("${'${' + '}'}", "${}"),
        ('${"}" + \'"\'} ok', '}" ok'),
        ("$${order.id}", "${order.id}"),
        ("costs $${5} or ${order.id}", "costs ${5} or 7"),
        ("$$${order.id}", "$${order.id}"),
        ("$5 and {x} and }", "$5 and {x} and }"),
        ({"a": ["${order.id}", {"b": "x${paid}"}]}, {"a": [7, {"b": "xtrue"}]}),
        ({"${order.id}": 1}, {"${order.id}": 1}),
        (None, None),
        (5, 5),
    ],
)
def test_rendering(template: Any, value: Any) -> None:
    made = render(template, SCOPE)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize("template", ["plain", {"a": [1, {"b": "x"}]}, [], ["$", "{"]])
def test_a_template_without_expressions_is_returned_itself(template: Any) -> None:
    assert render(template, SCOPE) is template


def test_a_path_gives_the_value_itself_and_the_template_stays() -> None:
    template = {"o": "${order}"}
    assert render(template, SCOPE)["o"] is SCOPE["order"]
    assert template == {"o": "${order}"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${order.id}", 7),
        ("${order.note}", None),
        ("${order.missing}", ABSENT),
        ("${ order.missing.deeper }", ABSENT),
        ("${order.tags[5]}", ABSENT),
        ("${order['x y']}", ABSENT),
        ("${order.id.x}", ABSENT),
        ("${nobody.x}", ABSENT),
        ("${default(order.missing, 1)}", 1),
        ("plain", "plain"),
        ({"a": "${order.id}"}, {"a": 7}),
    ],
)
def test_an_entry_may_be_absent(template: Any, value: Any) -> None:
    assert render_entry(template, SCOPE) == value


@pytest.mark.parametrize(
    "template", ["x ${order.missing}", "${order.missing + 1}", {"a": "${order.missing}"}]
)
def test_only_a_plain_path_may_be_absent(template: Any) -> None:
    with pytest.raises(ExpressionError, match="missing"):
        render_entry(template, SCOPE)


def test_a_plain_path_means_the_same_in_a_template_and_alone() -> None:
    def tried(use: Callable[[str, dict[str, Any]], Any], source: str) -> Any:
        try:
            return use(source, SCOPE)
        except ExpressionError as error:
            return error.message, error.line, error.column

    for path in ("order.id", "order.missing", "nobody", "order.id.x"):
        assert tried(evaluate, path) == tried(render, f"${{{path}}}")


def test_check_finds_all_problems_and_names_at_once() -> None:
    info = check_template(
        {
            "good": "${order.id} and ${lower(who)}",
            "a/b": ["${", "${x +}"],
            "c~": {"d": "${nofunc(x)}", "e": "$${free}"},
        }
    )
    assert info.names == {"order", "who"}
    assert info.functions == {"lower"}
    assert [pointer for pointer, _ in info.problems] == ["/a~1b/0", "/a~1b/1", "/c~0/d"]
    assert "no '}' that ends it" in info.problems[0][1].message
    assert "ends too early" in info.problems[1][1].message
    assert "'nofunc' is unknown" in info.problems[2][1].message


@pytest.mark.parametrize("template", ["${}", "${ }", "${'a}", "${(}", "a ${b", "${a${b}}"])
def test_malformed_templates_are_refused(template: str) -> None:
    assert len(check_template(template).problems) == 1
    with pytest.raises(ExpressionError):
        render(template, SCOPE)


def test_a_template_of_any_depth_never_breaks() -> None:
    template: Any = "${order.id}"
    for _ in range(10_000):
        template = [template]
    assert isinstance(check_template(template).problems[0][1], ExpressionLimitError)
    with pytest.raises(ExpressionLimitError):
        render(template, SCOPE)


def test_a_text_s_cel_and_its_result_are_bounded() -> None:
    with pytest.raises(ExpressionLimitError, match="characters of CEL"):
        render(" ".join(f"${{'{'x' * 3000}{n}'}}" for n in range(3)), SCOPE)
    with pytest.raises(ExpressionLimitError, match="text of more than"):
        render("${big}${big}", {"big": "x" * 600_000})


def test_the_expressions_of_one_template_share_one_budget() -> None:
    scope = {"xs": list(range(5000))}
    work = "${xs.map(x, x + 1).size()}"
    assert render(work, scope) == 5000
    with pytest.raises(ExpressionLimitError, match=r"steps|longer"):
        render([work] * 100, scope)
