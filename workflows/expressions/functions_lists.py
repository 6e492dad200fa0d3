"""Functions on lists and maps."""

import builtins
from typing import Any, Final

from workflows.absent import ABSENT
from workflows.expressions.faults import AbsentError, FaultError
from workflows.expressions.kinds import NUMBERS, check_int, kind, to_text
from workflows.expressions.limits import TEXT_UNIT, VALUE_UNITS, Budget, check_item_count
from workflows.expressions.operators import add, divide, look_up, select
from workflows.expressions.registry import Registry

REGISTRY: Final = Registry()

_SORTABLE: Final = frozenset({"string", "bool", "timestamp", "duration", "bytes"})


@REGISTRY.add({"first([3, 4])": 3, "default(first([]), 0)": 0})
def first(items: list[Any]) -> Any:
    """Return the first element; that of an empty list is absent."""
    return _some(items)[0]


@REGISTRY.add({"last([3, 4])": 4})
def last(items: list[Any]) -> Any:
    """Return the last element; that of an empty list is absent."""
    return _some(items)[-1]


@REGISTRY.add({"keys({'a': 1, 'b': 2})": ["a", "b"]})
def keys(entries: dict[str, Any]) -> list[Any]:
    """Return the keys of a map, in its order."""
    return list(entries)


@REGISTRY.add({"values({'a': 1, 'b': 2})": [1, 2]})
def values(entries: dict[str, Any]) -> list[Any]:
    """Return the values of a map, in its order."""
    return list(entries.values())


@REGISTRY.add({"sum([1, 2, 3])": 6, "sum([1, 0.5])": 1.5, "sum([])": 0})
def sum(budget: Budget, items: list[Any]) -> Any:  # noqa: A001 - the contract's name
    """Return the sum of numbers or of durations; 0 for an empty list."""
    if set(map(type, items)) <= {int}:
        # The usual case. Only the total has to fit in 64 bit, as nothing is lost on the way.
        return check_int(builtins.sum(items))
    total = items[0]
    for item in items[1:]:
        if kind(item) not in NUMBERS | {"duration"}:
            raise FaultError(f"sum takes numbers or durations, not {kind(item)}")
        total = add(budget, total, item)
    if kind(total) in NUMBERS | {"duration"}:
        return total
    raise FaultError(f"sum takes numbers or durations, not {kind(total)}")


@REGISTRY.add({"avg([1, 2])": 1.5, "default(avg([]), 0)": 0})
def avg(budget: Budget, items: list[Any]) -> Any:
    """Return the mean of numbers as a double; that of an empty list is absent."""
    return divide(budget, sum(budget, _some(items)), float(len(items)))


@REGISTRY.add({"min([3, 1, 2])": 1, "min(3, 1.5)": 1.5, "default(min([]), 0)": 0})
def min(*items: Any) -> Any:  # noqa: A001 - the contract's name
    """Return the smallest element of a list, or of the arguments."""
    return builtins.min(_arguments(items))


@REGISTRY.add({"max([3, 1, 2])": 3, "max('a', 'b')": "b"})
def max(*items: Any) -> Any:  # noqa: A001 - the contract's name
    """Return the largest element of a list, or of the arguments."""
    return builtins.max(_arguments(items))


@REGISTRY.add(
    {"sort([3, 1, 2])": [1, 2, 3], "sort([{'n': 2}, {'n': 1}], 'n')": [{"n": 1}, {"n": 2}]}
)
def sort(budget: Budget, items: list[Any], key: str | None = None) -> list[Any]:
    """Return the list in ascending order; lists of maps are sorted by the member `key`."""
    budget.spend(VALUE_UNITS * len(items))
    by = items if key is None else [select(item, key) for item in items]
    _check_comparable(by)
    budget.spend(_text_weight(by) * len(by).bit_length())
    order = sorted(range(len(by)), key=by.__getitem__)
    return [items[place] for place in order]


@REGISTRY.add({"distinct([1, 2, 1.0, 'a'])": [1, 2, "a"]})
def distinct(budget: Budget, items: list[Any]) -> list[Any]:
    """Return the list without repetitions; the first of equal elements stays."""
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(_frozen(budget, item), item)
    return list(found.values())


@REGISTRY.add({"flatten([[1], [2, 3], 4])": [1, 2, 3, 4]})
def flatten(items: list[Any]) -> list[Any]:
    """Return one list of the elements of the lists in a list; one level is taken away."""
    check_item_count(builtins.sum(len(item) if isinstance(item, list) else 1 for item in items))
    return [each for item in items for each in (item if isinstance(item, list) else [item])]


@REGISTRY.add({"group_by([{'t': 'a'}, {'t': 'b'}, {'t': 'a'}], 't').a": [{"t": "a"}, {"t": "a"}]})
def group_by(budget: Budget, items: list[Any], key: str) -> dict[str, Any]:
    """Return a map from the text of the member `key` to the list of the elements that have it."""
    budget.spend(VALUE_UNITS * len(items))
    groups: dict[str, Any] = {}
    for item in items:
        value = select(item, key)
        if isinstance(value, list | dict):
            raise FaultError(f"group_by needs a plain value in each element, not {kind(value)}")
        groups.setdefault(to_text(value, budget), []).append(item)
    return groups


@REGISTRY.add({"get({'a b': 1}, 'a b')": 1, "default(get({}, 'x'), 0)": 0})
def get(entries: dict[str, Any], key: Any) -> Any:
    """Return the value under a key that is only known when it runs; may be absent."""
    value = look_up(entries, key)
    if value is ABSENT:
        raise AbsentError("the map has no such key")
    return value


def _some(items: list[Any]) -> list[Any]:
    if items:
        return items
    raise AbsentError("the list is empty")


def _arguments(items: tuple[Any, ...]) -> list[Any]:
    listed = items[0] if len(items) == 1 and isinstance(items[0], list) else list(items)
    _check_comparable(_some(listed))
    return listed


def _check_comparable(items: list[Any]) -> None:
    kinds = {kind(item) for item in items}
    if kinds <= NUMBERS or (len(kinds) == 1 and kinds <= _SORTABLE):
        return
    raise FaultError(f"these cannot be put in order: {', '.join(sorted(kinds))}")


def _text_weight(items: list[Any]) -> int:
    return len(items) + builtins.sum(
        len(item) // TEXT_UNIT for item in items if isinstance(item, str)
    )


def _frozen(budget: Budget, value: Any) -> Any:
    """Return a hashable value that is equal for equal values, and only for those."""
    name = kind(value)
    if name == "list":
        budget.spend(VALUE_UNITS * len(value) + VALUE_UNITS)
        return (name, *[_frozen(budget, item) for item in value])
    if name == "map":
        budget.spend(VALUE_UNITS * len(value) + VALUE_UNITS)
        pairs = ((_frozen(budget, key), _frozen(budget, item)) for key, item in value.items())
        return (name, frozenset(pairs))
    return ("number" if name in NUMBERS else name, value)
