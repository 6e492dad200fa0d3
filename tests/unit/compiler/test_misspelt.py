"""Misspelt names where others would be allowed as well: keywords of schemas, words, own names."""

from collections.abc import Callable

import pytest

from workflows.compiler.compile import Compiled
from workflows.errors import DefinitionError, Problem

Compile = Callable[..., Compiled]
Problems = Callable[..., list[Problem]]

START = "- {id: start, type: start, next: a}\n"
END = "- {id: end, type: end}\n"
JOINED = (
    "- {{id: start, type: start, next: a}}\n"
    "- {{id: a, type: fan_out, branches: [{{name: x, next: j}}, {{name: y, next: j}}]}}\n"
    "- {{id: j, type: fan_in, {}}}\n"
)


@pytest.mark.parametrize(
    ("schema", "at", "severity"),
    [
        ("form: {type: object, propertis: {}}", "/form/propertis", "error"),
        ("form: {properties: {a: {typ: string}}}", "/form/properties/a/typ", "error"),
        ("form: {items: [], requird: [a]}", "/form/requird", "error"),
        ("form: {title: A, widget: wide}", "/form/widget", "warning"),
        ("form: {properties: {typ: {}, a: {x-order: 1, example: 2}}}", None, ""),
    ],
)
def test_keywords_that_json_schema_does_not_have_are_told(
    schema: str, at: str | None, severity: str, compiled: Compile
) -> None:
    nodes = START + f"- {{id: a, type: user_input, prompt: x, {schema}, next: end}}\n" + END
    try:
        told = list(compiled(nodes).warnings)
    except DefinitionError as error:
        told = [*error.problems, *error.warnings]
    keywords = [one for one in told if one.code == "unknown_keyword"]
    assert [(one.pointer, one.severity) for one in keywords] == (
        [(f"/nodes/1{at}", severity)] if at else []
    )


def test_a_word_of_wait_for_that_is_none_is_warned_of(compiled: Compile) -> None:
    (warning,) = compiled(JOINED.format("wait_for: al")).warnings
    assert (warning.code, warning.line) == ("perhaps_word", 5)
    assert "the words here are 'all' and 'any' (did you mean 'all'?)" in warning.message
    declared = "workflow: w\ninput: {properties: {quorum: {type: integer}}}\nnodes:\n"
    assert compiled(declared + JOINED.format("wait_for: quorum")).warnings == ()
    (warning,) = compiled(declared + JOINED.format("wait_for: anyy")).warnings
    assert (warning.code, "(did you mean 'any'?)" in warning.message) == ("unknown_name", True)


def test_what_undoes_knows_its_own_names(compiled: Compile) -> None:
    undo = "compensate: {activity: x, input: {a: '${ouput}'}}"
    head = "workflow: w\ninput: {properties: {}}\nnodes:\n"
    text = head + START + f"- {{id: a, type: activity, activity: x, {undo}, next: end}}\n" + END
    (warning,) = compiled(text).warnings
    assert "'ouput'" in warning.message
    assert "(did you mean 'output'?)" in warning.message


@pytest.mark.parametrize(
    ("wait_for", "told"),
    [
        (
            "50%",
            "; a join takes no percentages, so write 'group.arrived * 100 >= group.expected * 50'",
        ),
        ("'2'", "; did you mean 2, without quotes?"),
    ],
)
def test_what_is_no_condition_of_a_join_says_what_to_write(
    wait_for: str, told: str, problems: Problems
) -> None:
    (problem,) = problems(JOINED.format(f"wait_for: {wait_for}"))
    assert problem.message.endswith(f"or a condition over `group`{told}")
    mended = told.split("'")[1] if "'" in told else "2"
    assert problems(JOINED.format(f"wait_for: {mended}")) == []


@pytest.mark.parametrize(
    ("when", "odd"),
    [("5", "int"), ("'yes'", "string"), ("[1 == 1]", "list"), ("-1.5", "double"), ("null", "null")],
)
def test_a_constant_that_is_no_boolean_is_warned_of(
    when: str, odd: str, compiled: Callable[..., Compiled]
) -> None:
    """No more: a condition that is never asked does no harm, and one that is fails its node."""
    switch = '- {{id: a, type: switch, choices: [{{when: "{}", next: end}}], default: end}}\n'
    (warning,) = compiled(START + switch.format(when) + END).warnings
    assert (warning.code, warning.pointer) == ("condition_constant", "/nodes/1/choices/0/when")
    assert warning.message.endswith(f"and this one is always of type {odd}")
    for sound in ("true", "1 == 2", "bool", "x", "1 / 0 == 1"):
        warnings = compiled(START + switch.format(sound) + END).warnings
        assert "condition_constant" not in {each.code for each in warnings}


@pytest.mark.parametrize(
    ("node", "bare"),
    [
        ("type: switch, choices: [{when: '${n > 1}', next: end}], default: end", "n > 1"),
        ("type: aggregate, function: sum, items: '${ rows }', next: end", "rows"),
        ("type: transform, value: \"${'${'}\", result: x, next: end", "'${'"),
    ],
)
def test_braces_where_none_belong_are_told(node: str, bare: str, problems: Problems) -> None:
    (problem,) = problems(START + f"- {{id: a, {node}}}\n" + END)
    assert problem.message.endswith(f"; this field takes it without `${{}}`: {bare}")


def test_a_broken_template_keeps_its_braces(problems: Problems) -> None:
    (problem,) = problems(START + "- {id: a, type: end, output: {x: '${n >}'}}\n")
    assert "without `${}`" not in problem.message
