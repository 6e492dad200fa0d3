"""The tree of an expression, as the evaluation needs it; `at` is a place in the source."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, boolean or null."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable of a macro, a key of the scope, or a type."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`target.name`."""

    at: int
    target: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    at: int
    sign: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator with two operands; `[]` is one of them."""

    at: int
    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? yes : no`."""

    at: int
    condition: "Node"
    yes: "Node"
    no: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`, or `first.name(rest)`: both are the same."""

    at: int
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Macro:
    """`target.name(variable, parts)`: the parts are evaluated for each element."""

    at: int
    name: str
    target: "Node"
    variable: str
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    at: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{key: value}`."""

    at: int
    entries: tuple[tuple["Node", "Node"], ...]


Node = Literal | Name | Select | Unary | Binary | Choice | Call | Macro | ListOf | MapOf

MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})


def path_text(node: Node) -> str | None:
    """Return the text of a node that is a plain context path (`items[2].price`), else None."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select):
        before = path_text(node.target)
        return before and f"{before}.{node.name}"
    if isinstance(node, Binary) and node.sign == "[]" and isinstance(node.right, Literal):
        key, before = node.right.value, path_text(node.left)
        if before and (isinstance(key, str) or type(key) is int):
            return f"{before}[{key!r}]"
    return None
