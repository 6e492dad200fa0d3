"""Reading, setting and deleting by path; contexts are never changed."""

from copy import deepcopy
from typing import Any

import pytest

from workflows.context.paths import assign, delete, format_path, parse_path, read
from workflows.context.values import ABSENT
from workflows.errors import PathError

CONTEXT: dict[str, Any] = {
    "order": {"id": 7, "note": None, "lines": [{"price": 1.5}, {"price": 2}]},
    "row": {"Unit price": 3, 'say "hi"': 4},
    "name": "Ada",
}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("order", ("order",)),
        ("a.b.c", ("a", "b", "c")),
        ("items[2].price", ("items", 2, "price")),
        ("m[0][12]", ("m", 0, 12)),
        ('row."Unit price"', ("row", "Unit price")),
        ('"a.b".c', ("a.b", "c")),
        (r'row."say \"hi\""', ("row", 'say "hi"')),
        ("straße._x1", ("straße", "_x1")),
    ],
)
def test_a_path_is_taken_apart_and_put_together(text: str, parts: tuple[str | int, ...]) -> None:
    assert parse_path(text) == parts
    assert parse_path(format_path(parts)) == parts


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_a_blank_path_is_an_error_everywhere(text: str) -> None:
    for use in (
        lambda: parse_path(text),
        lambda: read(CONTEXT, text),
        lambda: assign(CONTEXT, text, 1),
        lambda: delete(CONTEXT, text),
    ):
        with pytest.raises(PathError, match="blank"):
            use()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (".a", 1),
        ("a.", 2),
        ("a..b", 2),
        ("[0].a", 1),
        ("a b", 2),
        ("a[-1]", 2),
        ("a[x]", 2),
        ("a.[0]", 2),
        ('a."x', 2),
        ('row"x"', 4),
        (r'row."\q"', 5),
        ("a.1b", 2),
        ("a[0]b", 5),
        ("${a}", 1),
    ],
)
def test_a_malformed_path_says_where(text: str, column: int) -> None:
    with pytest.raises(PathError, match=f"column {column}:") as refused:
        parse_path(text)
    assert refused.value.details["column"] == column


def test_a_path_has_a_longest_length() -> None:
    with pytest.raises(PathError, match="at most 1024 characters"):
        parse_path("a" * 1025)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("order.id", 7),
        ("order.note", None),
        ("order.lines[1].price", 2),
        ('row."Unit price"', 3),
        ("order.lines[2]", ABSENT),
        ("order.lines.price", ABSENT),
        ("order[0]", ABSENT),
        ("order.note.x", ABSENT),
        ("name.x.y", ABSENT),
        ("name[0]", ABSENT),
        ("nobody", ABSENT),
    ],
)
def test_reading_never_raises_on_data(path: str, value: Any) -> None:
    assert read(CONTEXT, path) == value


def test_reading_from_what_is_no_object_is_absent() -> None:
    assert read(None, "a") is ABSENT
    assert read([1], "a") is ABSENT


@pytest.mark.parametrize(
    "path",
    ["order.id", "order.lines[0].price", "new", "new.deep.er", "order.lines[1]", 'row."x y"'],
)
def test_setting_gives_a_new_context_and_shares_the_rest(path: str) -> None:
    before = deepcopy(CONTEXT)
    changed = assign(CONTEXT, path, {"set": True})
    assert read(changed, path) == {"set": True}
    assert before == CONTEXT
    untouched = set(CONTEXT) - {parse_path(path)[0]}
    assert all(changed[key] is CONTEXT[key] for key in untouched)


def test_setting_copies_only_along_the_path() -> None:
    changed = assign(CONTEXT, "order.lines[0].price", 9)
    assert changed["order"]["lines"][1] is CONTEXT["order"]["lines"][1]
    assert changed["order"]["lines"][0] is not CONTEXT["order"]["lines"][0]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("name.first", "'name' is a scalar, not an object"),
        ("order.note.x", "'order.note' is null, not an object"),
        ("order.id.x.y", "'order.id' is a scalar"),
        ("order.lines[2]", "the list at 'order.lines' has 2 elements"),
        ("order.lines[2].price", "has 2 elements"),
        ("order.lines.price", "'order.lines' is a list, not an object"),
        ("order[0]", "'order' is an object, not a list"),
        ("fresh[0]", "there is no list at 'fresh'"),
        ("fresh.list[0].x", "there is no list at 'fresh.list'"),
    ],
)
def test_what_cannot_be_set_says_why(path: str, reason: str) -> None:
    before = deepcopy(CONTEXT)
    with pytest.raises(PathError) as refused:
        assign(CONTEXT, path, 1)
    assert reason in refused.value.message
    assert before == CONTEXT


def test_deleting_leaves_the_old_context_alone() -> None:
    before = deepcopy(CONTEXT)
    assert delete(CONTEXT, "order.lines[0]")["order"]["lines"] == [{"price": 2}]
    assert "note" not in delete(CONTEXT, "order.note")["order"]
    assert "name" not in delete(CONTEXT, "name")
    assert before == CONTEXT


@pytest.mark.parametrize(
    "path", ["nobody", "order.nothing.x", "order.lines[5]", "name.x", "order[0]"]
)
def test_deleting_what_is_not_there_changes_nothing(path: str) -> None:
    assert delete(CONTEXT, path) == CONTEXT
