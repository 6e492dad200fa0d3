"""Misspelt names where others would be allowed as well: keywords of schemas, words, own names."""

from collections.abc import Callable

import pytest

from workflows.compiler.compile import Compiled
from workflows.errors import DefinitionError

Compile = Callable[..., Compiled]

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
