"""Reading documents: plain JSON out of YAML and JSON, and where each part stands."""

import pytest

from workflows.definition.parse import MAX_BYTES, read_document
from workflows.errors import DefinitionError, Problem


def refused(text: str, *, source: str = "<string>") -> Problem:
    with pytest.raises(DefinitionError) as caught:
        read_document(text, source=source)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("", None),
        ("true", True),
        ("2020-01-31", "2020-01-31"),
        ("2020-01-31T10:00:00Z", "2020-01-31T10:00:00Z"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ('"null"', "null"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_yaml_scalar_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = read_document(f"- {text}", source="x.yaml").value[0]
    assert found == value
    assert type(found) is type(value)


def test_yaml_and_json_of_the_same_document_are_the_same_value() -> None:
    yaml = "a: [1, {b: null}]\nc: |\n  two\n  lines\n"
    json = '{"a": [1, {"b": null}], "c": "two\\nlines\\n"}'
    assert read_document(yaml).value == read_document(json).value


def test_a_yaml_document_knows_the_place_of_keys_and_values() -> None:
    document = read_document("title: x\nnodes:\n  - id: start\n    next: [a, b]\n  - {id: end}\n")
    assert document.locate("/title") == (1, 8)
    assert document.locate("/title", key=True) == (1, 1)
    assert document.locate("/nodes/0") == (3, 5)
    assert document.locate("/nodes/0/next") == (4, 11)
    assert document.locate("/nodes/0/next", key=True) == (4, 5)
    assert document.locate("/nodes/0/next/1") == (4, 15)
    assert document.locate("/nodes/1/id") == (5, 10)


def test_a_json_document_knows_the_place_of_keys_and_values() -> None:
    document = read_document('{\n  "a": [10, {"b/c": true}],\n\t"d": {}\n}')
    assert document.locate("/a") == (2, 8)
    assert document.locate("/a/1/b~1c") == (2, 21)
    assert document.locate("/a/1/b~1c", key=True) == (2, 14)
    assert document.locate("/d", key=True) == (3, 2)


def test_what_is_not_there_is_located_at_the_object_around_it() -> None:
    document = read_document("nodes:\n  - id: start\n")
    assert document.locate("/nodes/0/next") == (2, 5)
    assert document.locate("/nodes/0/next", key=True) == (2, 5)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: [1", 1, 6),
        ("a: b: c", 1, 5),
        ("a: 1\n---\nb: 2", 2, 1),
        ("? [a]\n: b", 1, 3),
        ("x: \x07", 1, 4),
        ("x: *", 1, 5),
        ('x: "\\Uffffffff"', 1, 1),
        ('{"a": 1,}', 1, 9),
        ('{"a" 1}', 1, 6),
        ('{\n"a": tru}', 2, 6),
        ('{"a": 1}}', 1, 9),
        ("[1, 2", 1, 6),
        ("[1 2]", 1, 4),
        ('["x\ty"]', 1, 4),
        ("[01]", 1, 3),
    ],
)
def test_a_syntax_error_has_its_place(text: str, line: int, column: int) -> None:
    problem = refused(text)
    assert (problem.code, problem.line, problem.column) == ("syntax", line, column)


def test_the_ending_of_the_name_decides_what_the_text_is() -> None:
    assert read_document("{a: b}", source="x.yaml").value == {"a": "b"}
    assert refused("a: b", source="x.json").message.startswith("Not JSON")


def test_what_can_be_passed_over_is_all_reported() -> None:
    text = "a: 1\na: 2\nb: .nan\nc: 9223372036854775808\nd: !!str x\ne: &x 1\nf: *x\n5: x\n"
    document = read_document(text)
    found = [(problem.code, problem.line, problem.column) for problem in document.problems]
    assert found == [
        ("duplicate_key", 2, 1),
        ("not_finite", 3, 4),
        ("int_range", 4, 4),
        ("tag", 5, 4),
        ("anchor", 6, 4),
        ("anchor", 7, 4),
        ("key_type", 8, 1),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ("[NaN]", "not_finite"),
        ("[-Infinity]", "not_finite"),
        ("[1e999]", "not_finite"),
        ("[-9223372036854775809]", "int_range"),
        (f"[{'9' * 5000}]", "int_range"),
        ('["\\ud800"]', "character"),
        ('["\\u0000"]', "character"),
        ('{"\\udfff": 1}', "character"),
    ],
)
def test_json_that_is_no_plain_value_is_reported(text: str, code: str) -> None:
    assert [problem.code for problem in read_document(text).problems] == [code]


@pytest.mark.parametrize("text", ["[" * 65, '{"a":' * 65, "- " * 65, "{a: " * 65])
def test_a_deep_document_is_refused(text: str) -> None:
    assert refused(text, source="x.yaml" if "a:" in text else "<string>").code == "too_deep"


def test_sixty_four_levels_are_allowed() -> None:
    assert read_document("[" * 64 + "]" * 64).value


def test_a_large_document_is_refused() -> None:
    assert refused("#" * (MAX_BYTES + 1)).code == "too_large"
    assert refused("é" * (MAX_BYTES - 1)).code == "too_large"
    assert refused("[" + "0," * 110_000 + "0]").code == "too_large"


def test_a_long_tag_does_not_take_long() -> None:
    assert refused("a: " + "!" * 900_000).code == "syntax"
