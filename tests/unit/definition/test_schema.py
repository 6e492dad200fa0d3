"""The JSON Schema for editors: from the kinds alone, and it accepts and refuses as it should."""

import json

import pytest

from workflows.definition.parse import read_document
from workflows.definition.schema import document_schema
from workflows.definition.schema_check import check_schema, validate_value
from workflows.errors import InputRefusedError
from workflows.nodes.registry import kinds

DOCUMENT = """
$schema: ./workflow.schema.json
workflow: refund
nodes:
  - {id: start, type: start, next: wait}
  - {id: wait, type: delay, for: PT5M, next: each}
  - {id: each, type: map, items: rows, as: row, process: done, next: done}
  - {id: done, type: end}
"""


def test_it_is_a_schema_and_the_same_each_time() -> None:
    schema = document_schema(kinds())
    assert check_schema(schema) == ()
    assert json.dumps(schema) == json.dumps(document_schema(dict(reversed(list(kinds().items())))))


def test_it_accepts_a_document() -> None:
    validate_value(document_schema(kinds()), read_document(DOCUMENT).value, what="the document")


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("for: PT5M", "forr: PT5M", "/nodes/1/forr"),
        ("as: row", "as: 5", "/nodes/2/as"),
        ("items: rows, ", "", "/nodes/2"),
        ("type: delay", "type: dealy", "/nodes/1/type"),
        ("workflow: refund", "workflow: Refund!", "/workflow"),
    ],
)
def test_it_refuses_what_the_kind_of_the_node_refuses(old: str, new: str, pointer: str) -> None:
    value = read_document(DOCUMENT.replace(old, new)).value
    with pytest.raises(InputRefusedError) as caught:
        validate_value(document_schema(kinds()), value, what="the document")
    assert pointer in [problem.pointer for problem in caught.value.problems]


def test_every_kind_and_every_field_of_a_kind_is_described() -> None:
    schema = document_schema(kinds())
    types = schema["properties"]["nodes"]["items"]["properties"]["type"]["oneOf"]
    assert [one["const"] for one in types] == sorted(kinds())
    for name in kinds():
        assert schema["$defs"][name]["description"]
        fields = schema["$defs"][name]["properties"]
        assert [field for field, about in fields.items() if "description" not in about] == []
