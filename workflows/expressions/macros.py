"""The macros: what they do with the elements, given a function that evaluates their body."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import kind
from workflows.expressions.limits import check_item_count

Items = list[Any] | dict[Any, Any]  # of an object, the keys
Body = Callable[[Any], Any]


def _test(body: Body, item: Any) -> bool:
    value = body(item)
    if value is True or value is False:
        return bool(value)
    raise FaultError(f"the condition of a macro must be a boolean, not {kind(value)}")


def _decide(items: Items, body: Body, *, decisive: bool) -> bool:
    """Look for an element whose condition is `decisive`; faults count only when there is none."""
    first: FaultError | None = None
    for item in items:
        try:
            if _test(body, item) is decisive:
                return decisive
        except FaultError as fault:
            first = first or fault
    if first is not None:
        raise first
    return not decisive


def every(items: Items, body: Body) -> bool:
    """`list.all(x, condition)`: whether it holds for each element."""
    return _decide(items, body, decisive=False)


def some(items: Items, body: Body) -> bool:
    """`list.exists(x, condition)`: whether it holds for at least one element."""
    return _decide(items, body, decisive=True)


def exactly_one(items: Items, body: Body) -> bool:
    """`list.exists_one(x, condition)`: whether it holds for just one element."""
    return sum(_test(body, item) for item in items) == 1


def keep(items: Items, body: Body) -> list[Any]:
    """`list.filter(x, condition)`: the elements for which it holds."""
    return [item for item in items if _test(body, item)]


def transform(items: Items, body: Body, value: Body | None = None) -> list[Any]:
    """`list.map(x, value)`, or `list.map(x, condition, value)`: the new elements."""
    check_item_count(len(items))
    if value is None:
        return [body(item) for item in items]
    return [value(item) for item in items if _test(body, item)]


MACRO_BODIES: Final[Mapping[str, Callable[..., Any]]] = {
    "all": every,
    "exists": some,
    "exists_one": exactly_one,
    "filter": keep,
    "map": transform,
}
