"""Values become something to read, whatever they are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from approvals.presenting import MOST_ROWS, Shown, in_words, present

values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=4), part, max_size=4)
    ),
    max_leaves=20,
)


def test_scalars_are_words() -> None:
    scalars: list[Any] = [None, True, False, 0, 1.5, "a", [], {}]
    shown = [present(value).text for value in scalars]
    assert shown == ["—", "yes", "no", "0", "1.5", "a", "—", "—"]


def test_a_list_of_objects_is_a_table() -> None:
    table = present([{"name": "a", "unit_price": 1}, {"name": "b", "note": "n"}])
    assert table.form == "table"
    assert table.columns == ("Name", "Unit price", "Note")
    assert [[cell.text for cell in row] for row in table.rows] == [["a", "1", "—"], ["b", "—", "n"]]


def test_objects_too_wide_for_a_table_are_listed() -> None:
    wide = {f"k{number}": number for number in range(9)}
    assert present([wide]).form == "list"
    assert present([{"a": 1}, 2]).form == "list"


def test_short_words_stand_side_by_side() -> None:
    assert present(["MIT", "BSD"]).is_short
    assert not present(["MIT", "x" * 41]).is_short
    assert not present(["MIT", ["BSD"]]).is_short


def test_long_lists_say_how_much_is_left_out() -> None:
    shown = present(list(range(MOST_ROWS + 5)))
    assert (len(shown.rows), shown.left_out) == (MOST_ROWS, 5)


def test_paths_read_as_headings() -> None:
    assert in_words("item.unit_price") == "Item → unit price"


@given(values)
def test_every_value_can_be_shown(value: object) -> None:
    assert isinstance(present(value), Shown)
