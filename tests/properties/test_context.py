"""What holds for every context, path and contribution."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflows.context.merge import merge_contributions, merge_values
from workflows.context.paths import assign, delete, format_path, parse_path, read
from workflows.context.values import ABSENT, canonical, check_value, dumps, equal, loads
from workflows.errors import PathError, ValueRefusedError

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
CONTEXTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
NAMES = st.sampled_from(["a", "b", "c", "key with space", 'quo"te', "é", ""])
PATHS = st.tuples(NAMES, st.lists(NAMES | st.integers(0, 3), max_size=3)).map(
    lambda parts: format_path((parts[0], *parts[1]))
)


@given(CONTEXTS, PATHS, VALUES)
def test_what_is_set_is_read_and_nothing_else_changes(context: Any, path: str, value: Any) -> None:
    before = deepcopy(context)
    try:
        changed = assign(context, path, value)
    except PathError:
        changed = None
    assert equal(context, before)
    if changed is not None:
        assert read(changed, path) is value
        assert read(delete(changed, path), path) is ABSENT or isinstance(parse_path(path)[-1], int)
        others = set(context) - {parse_path(path)[0]}
        assert all(changed[key] is context[key] for key in others)


@given(CONTEXTS, PATHS)
def test_reading_and_deleting_never_raise_and_never_change(context: Any, path: str) -> None:
    before = deepcopy(context)
    there = read(context, path)
    left = delete(context, path)
    assert equal(context, before)
    assert (there is ABSENT) == equal(left, context)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_a_path_error(text: str) -> None:
    try:
        parts = parse_path(text)
    except PathError:
        return
    assert parse_path(format_path(parts)) == parts


@given(VALUES)
def test_values_round_trip(value: Any) -> None:
    check_value(value)
    assert equal(loads(dumps(value)), value)
    assert equal(loads(canonical(value).encode()), value)


@given(st.text() | st.binary())
def test_any_text_is_json_or_refused(text: str | bytes) -> None:
    try:
        value = loads(text)
    except ValueRefusedError:
        return
    check_value(value)


@given(st.recursive(SCALARS | st.floats() | st.integers() | st.text() | st.binary(), st.lists))
def test_any_value_is_accepted_or_refused(value: Any) -> None:
    try:
        check_value(value)
    except ValueRefusedError:
        return
    assert equal(loads(dumps(value)), value)


@given(st.lists(st.lists(SCALARS, max_size=3), max_size=6), st.lists(SCALARS, max_size=3))
def test_additions_to_a_list_are_concatenated_in_order(additions: Any, base: Any) -> None:
    merged = merge_contributions(base, [base + added for added in additions])
    assert merged == base + [item for added in additions for item in added]


@given(st.lists(VALUES, max_size=6))
def test_disjoint_contributions_all_arrive_in_order(values: list[Any]) -> None:
    before = deepcopy(values)
    merged: Any = merge_contributions(
        {"old": 0}, [{"old": 0, f"n{i}": v} for i, v in enumerate(values)]
    )
    assert equal(merged, {"old": 0, **{f"n{index}": value for index, value in enumerate(values)}})
    assert list(merged) == ["old", *(f"n{index}" for index in range(len(values)))]
    assert equal(values, before)


@given(VALUES | st.just(ABSENT), st.lists(VALUES | st.just(ABSENT), max_size=5))
def test_merging_never_changes_its_inputs(base: Any, values: list[Any]) -> None:
    before = deepcopy([base, values])
    merge_contributions(base, values)
    assert [base, values] == before


@given(st.lists(VALUES | st.just(ABSENT), max_size=6))
def test_one_pass_gives_what_the_table_gives_step_by_step(values: list[Any]) -> None:
    folded: Any = ABSENT
    for value in values:
        folded = merge_values(folded, value)
    assert merge_contributions(ABSENT, values) == folded


@given(VALUES, st.integers(0, 4))
def test_unchanged_branches_leave_the_base(base: Any, count: int) -> None:
    assert merge_contributions(base, [deepcopy(base) for _ in range(count)]) is base
