"""What may enter a context, and what is refused with a pointer to the spot."""

from enum import StrEnum
from typing import Any

import pytest

from workflows.context.values import (
    ABSENT,
    canonical,
    check_text,
    check_value,
    digest,
    dumps,
    equal,
    loads,
)
from workflows.errors import ValueRefusedError


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**63),
        2**63 - 1,
        1.5,
        "straße 🚀",
        [],
        {},
        {"a": [1, {"b": None}]},
        Colour.RED,
        nested(64),
    ],
    ids=repr,
)
def test_plain_json_is_accepted(value: Any) -> None:
    check_value(value)


@pytest.mark.parametrize(
    ("value", "pointer", "reason"),
    [
        (float("nan"), "", "NaN"),
        ({"a": [1, float("inf")]}, "/a/1", "infinity"),
        ({"a": {"b": "x\0y"}}, "/a/b", "NUL"),
        ({"a": ["\ud800"]}, "/a/0", "surrogate"),
        ({"a": {"\ud800": 1}}, "/a", "surrogate"),
        ({"a": {"b\0": 1}}, "/a", "NUL"),
        ({"n": 2**63}, "/n", "64 bit"),
        ({"n": -(2**63) - 1}, "/n", "64 bit"),
        ({"n": (1, 2)}, "/n", "tuple"),
        ({"n": {1}}, "/n", "set"),
        ({"n": b"x"}, "/n", "bytes"),
        pytest.param({"n": object()}, "/n", "object", id="an object"),
        ({"a/b": {"c~d": 1j}}, "/a~1b/c~0d", "complex"),
        ([{1: 2}], "/0", "int"),
    ],
    ids=str,
)
def test_everything_else_is_refused_with_a_pointer(value: Any, pointer: str, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=reason) as refused:
        check_value(value)
    assert refused.value.pointer == pointer
    with pytest.raises(ValueRefusedError) as inside:
        check_value(value, pointer="/result")
    assert inside.value.pointer == f"/result{pointer}"


@pytest.mark.parametrize("levels", [65, 100_000])
def test_a_value_that_is_too_deep_is_refused_not_a_recursion_error(levels: int) -> None:
    with pytest.raises(ValueRefusedError, match="64 levels"):
        check_value(nested(levels))


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    for use in (check_value, dumps, digest):
        with pytest.raises(ValueRefusedError, match="levels"):
            use(value)


def test_size_is_bytes_of_compact_json() -> None:
    check_value({"a": "ü"}, max_bytes=10)
    with pytest.raises(ValueRefusedError, match="limit of 9 bytes"):
        check_value({"a": "ü"}, max_bytes=9)


def test_a_value_that_shares_parts_with_itself_is_stopped_by_its_size() -> None:
    value: Any = [0]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(ValueRefusedError, match="limit"):
        check_value(value, max_bytes=1000)


@pytest.mark.parametrize(
    ("text", "pointer", "reason"),
    [
        ('{"a": {"b": NaN}}', "/a/b", "NaN"),
        ("[-Infinity]", "/0", "infinity"),
        ("[1e999]", "/0", "infinity"),
        ('{"a": [1, {"x": 1, "x": 2}]}', "/a/1", "twice"),
        ('{"a": {"x": 1, "x": 2}, "a": 1}', "", "twice"),
        ('{"a": {"x": 1, "x": 2}, "b": {"x": 1}}', "/a", "twice"),
        ('{"a": 12345678901234567890123}', "/a", "64 bit"),
        ("9" * 100_000, "", "64 bit"),
        ('["\\u0000"]', "/0", "NUL"),
        ('["\\ud800"]', "/0", "surrogate"),
        ("[" * 10_000 + "]" * 10_000, "", "64 levels"),
        ("[" * 65 + "]" * 65, "/0" * 64, "64 levels"),
        ('{"a":\n 1,,}', "", "line 2, column 4"),
        ("", "", "line 1, column 1"),
        (b"\xff", "", "UTF-8"),
        (b"[1] [2]", "", "Extra data"),
    ],
    ids=lambda item: str(item)[:30],
)
def test_json_text_is_read_strictly(text: str | bytes, pointer: str, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=reason) as refused:
        loads(text)
    assert refused.value.pointer == pointer


def test_text_past_the_limit_is_not_even_parsed() -> None:
    with pytest.raises(ValueRefusedError, match="limit of 3 bytes"):
        loads("[1,,", max_bytes=3)


def test_text_goes_in_and_comes_out() -> None:
    assert loads(b'{"b": 1.0, "a": [true, null, "\xc3\xbc"]}') == {"b": 1.0, "a": [True, None, "ü"]}
    assert dumps({"b": 1, "a": "ü"}) == '{"b":1,"a":"ü"}'
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":1}'


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest(None)) == 64
    with pytest.raises(ValueRefusedError):
        digest("\ud800")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        ([1, [2]], [1.0, [2]], True),
        ([1], [True], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": None}, {}, False),
        (None, 0, False),
        ("1", 1, False),
        ([], {}, False),
    ],
    ids=str,
)
def test_equality_is_that_of_json(one: Any, other: Any, same: bool) -> None:  # noqa: FBT001
    assert equal(one, other) is same
    assert equal(other, one) is same


def test_absent_is_falsy_and_says_its_name() -> None:
    assert not ABSENT
    assert repr(ABSENT) == str(ABSENT) == "ABSENT"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a\0b", "a NUL character"), ("\udcff", "a lone surrogate"), ("xxxx", "longer than 3 char")],
)
def test_text_that_no_row_can_hold_is_refused_by_its_name(text: str, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=f"The reason is refused: .*{reason}"):
        check_text(text, "reason", longest=3)
    check_text("añ€", "reason", longest=3)


def test_what_is_no_text_is_refused_by_its_name() -> None:
    with pytest.raises(ValueRefusedError, match=r"^The key is refused: it is int, not text\.$"):
        check_text(17, "key", longest=3)  # type: ignore[arg-type]


def test_a_limit_of_a_setting_names_it() -> None:
    with pytest.raises(ValueRefusedError, match=r"limit of 9 bytes, which X sets$"):
        check_value("a" * 10, max_bytes=9, setting="X")
