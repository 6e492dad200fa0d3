"""What pydantic finds wrong, in words, at its place."""

import json
from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from workflows.definition.explain import explain
from workflows.definition.model import Model, WorkConfig


class Inner(Model):
    name: str = Field(min_length=1)
    size: int = 0


class Other(Model):
    path: str


class Outer(WorkConfig):
    mode: Literal["fast", "slow"] = "fast"
    parts: tuple[Inner, ...] = ()
    either: Inner | Other | None = None
    share: float = Field(0.0, le=1)
    renamed: str = Field("", alias="as")


def mistakes(**fields: Any) -> list[tuple[str, str]]:
    value = {"id": "a", "type": "x", **fields}
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json(json.dumps(value), strict=True)
    found = explain(caught.value.errors(), value, Outer)
    return [(mistake.pointer, mistake.message) for mistake in found]


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        ({"nxt": "b"}, "/nxt", "unknown field 'nxt' (did you mean 'next'?)"),
        ({"parts": [{"nam": "x", "name": "y"}]}, "/parts/0/nam", "unknown field 'nam' (did you"),
        ({"parts": [{}]}, "/parts/0", "the required field 'name' is missing"),
        ({"next": 5}, "/next", "expected text or a list, got the number 5"),
        ({"next": [5]}, "/next/0", "expected text, got the number 5"),
        ({"next": ""}, "/next", "this must not be empty"),
        ({"priority": True}, "/priority", "expected a whole number, got true"),
        ({"priority": 1.5}, "/priority", "expected a whole number, got the number 1.5"),
        ({"priority": 11}, "/priority", "must be less than or equal to 9; got the number 11"),
        ({"share": "x"}, "/share", "expected a number, got the text 'x'"),
        ({"timeout": 5}, "/timeout", "expected an ISO 8601 duration such as PT5M or P2D, got"),
        (
            {"timeout": "5 days"},
            "/timeout",
            "expected an ISO 8601 duration such as PT5M or P2D;",
        ),
        ({"timeout": "P1M"}, "/timeout", "expected an ISO 8601 duration such as PT5M or P2D"),
        ({"timeout": "P" + "9" * 30 + "D"}, "/timeout", "expected an ISO 8601 duration of at most"),
        ({"timeout": "P36601D"}, "/timeout", "expected an ISO 8601 duration of at most 100 years"),
        (
            {"mode": "fats"},
            "/mode",
            "expected 'fast' or 'slow', got the text 'fats' (did you mean 'fast'?)",
        ),
        ({"zzz": 1}, "/zzz", "unknown field 'zzz'; known here: as, "),
        ({"retry": {"attempts": 0}}, "/retry/attempts", "must be greater than or equal to 1"),
        ({"retry": []}, "/retry", "expected an object, got a list"),
        ({"either": {"pth": "x"}}, "/either", "the required field"),
        ({"id": "1a"}, "/id", "expected a name of letters, digits, '_' and '-' that begins with"),
        ({"a~/b": 1}, "/a~0~1b", "unknown field 'a~/b'"),
        ({"ass": "x"}, "/ass", "unknown field 'ass' (did you mean 'as'?)"),
    ],
)
def test_a_mistake_is_told_in_words(fields: dict[str, Any], pointer: str, message: str) -> None:
    found = mistakes(**fields)
    assert any(at == pointer and text.startswith(message) for at, text in found), found


def test_a_misspelt_field_is_not_missing_as_well() -> None:
    assert [at for at, _ in mistakes(parts=[{"nam": "x"}])] == ["/parts/0/nam"]
    assert len(mistakes(parts=[{"nam": "x"}, {}, {"sise": 1}])) == 4


def test_one_mistake_in_a_union_is_told_once() -> None:
    assert len(mistakes(next=5)) == 1
    assert len(mistakes(either={"name": "x", "siz": 1})) == 1


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(nxt="b", priority="x", retry={"backof": 1}, parts=[{}, {"name": 5}])
    pointers = [pointer for pointer, _ in found]
    assert sorted(pointers) == ["/nxt", "/parts/0", "/parts/1/name", "/priority", "/retry/backof"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT5M", 300), ("P2D", 172_800), ("P1W", 604_800), ("PT1.5S", 1.5), ("P1DT1H1M1S", 90_061)],
)
def test_a_duration_is_iso_8601(text: str, seconds: float) -> None:
    raw = json.dumps({"id": "a", "type": "x", "timeout": text})
    config = Outer.model_validate_json(raw, strict=True)
    assert config.timeout is not None
    assert config.timeout.total_seconds() == seconds
