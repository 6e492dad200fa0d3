"""Source text to tree: the CEL grammar that cel-python ships, behind the linear scan.

Only the grammar is used. cel-python's own parser object is shared by the whole process and prints
its state on errors; its evaluators raise where the specification compares, put the data into the
text of errors, and one of them mixes up threads.
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import INT_MAX, INT_MIN, UINT_MAX, UInt
from workflows.expressions.limits import MAX_NESTING, LimitError
from workflows.expressions.scan import check_length, count_scanned, scan
from workflows.expressions.syntax import (
    MACROS,
    Binary,
    Call,
    Choice,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
)

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "null", "in"})
_SIGNS: Final = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
    "unary_not": "!",
    "unary_neg": "-",
    "conditionalor": "||",
    "conditionaland": "&&",
}
_building = Lock()


def parse(source: str) -> Node:
    """Return the tree of an expression.

    Raises:
        FaultError: It is not CEL; `at` is the place.
        LimitError: It is too long or too deep.
    """
    check_length(source)
    text = source.strip()
    if _is_path(text):
        return _parse_path(text, source.index(text))
    scanned = scan(source)
    with _building:
        parser = _parser()
    try:
        tree = parser.parse(scanned.source)
    except UnexpectedInput as error:
        raise FaultError(_explain(error, scanned.source), _place(error, source)) from None
    return _Builder(scanned.texts).build(tree)


def count_tokens(source: str) -> int:
    """Return the tokens that reading a source looks at: its time is in proportion to them."""
    return 1 if _is_path(source.strip()) else count_scanned(source)


def _is_path(text: str) -> bool:
    return bool(_PATH.fullmatch(text)) and not _WORDS.intersection(text.split("."))


def _parse_path(text: str, start: int) -> Node:
    """Return the tree of `a.b.c`, which is what most templates have, without the parser."""
    root, *names = text.split(".")
    if len(names) > MAX_NESTING:
        raise _too_deep()
    node: Node = Name(start, root)
    at = start + len(root)
    for name in names:
        node = Select(at + 1, node, name)
        at += len(name) + 1
    return node


@cache
def _parser() -> Lark:
    # find_spec and not an import: the package's evaluators and their dependencies stay unloaded.
    spec = find_spec("celpy")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("cel-python is not installed; its grammar is needed")
    grammar = (Path(spec.submodule_search_locations[0]) / "cel.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start="expr",
        g_regex_flags=re.MULTILINE,
        lexer_callbacks={"IDENT": _sort_out_words},
        propagate_positions=True,
        maybe_placeholders=False,
        priority="invert",
    )


def _sort_out_words(token: Token) -> Token:
    # The grammar cannot tell the words from identifiers by itself.
    if token.value in {"true", "false"}:
        return Token.new_borrow_pos("BOOL_LIT", token.value, token)
    return token


def _explain(error: UnexpectedInput, text: str) -> str:
    at = _place(error, text)
    if at >= len(text):
        return "it ends too early"
    word = re.compile(r"\w+|.", re.DOTALL).match(text, at)
    found = word[0] if word else ""
    return "a text is not expected here" if found == "'" else f"{found!r} is not expected here"


def _place(error: UnexpectedInput, source: str) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(source)
    # lark says -1 or None, against its own annotation, where it knows no place.
    at: int | None = error.pos_in_stream
    return at if at is not None and 0 <= at <= len(source) else len(source)


def _too_deep() -> LimitError:
    return LimitError(f"it has more than {MAX_NESTING} operations inside each other")


Part = Any  # a Node, or what stands between nodes: a tuple of nodes, a sign


class _Builder:
    """Turns lark's tree into ours from the leaves up, without recursion."""

    def __init__(self, texts: dict[int, str | bytes]) -> None:
        self.texts = texts
        self.depths: dict[int, int] = {}

    def build(self, tree: Tree[Token]) -> Node:
        built: dict[int, Part] = {}
        depths: dict[int, int] = {}
        for each in tree.iter_subtrees():
            children = [child for child in each.children if isinstance(child, Tree)]
            below = max((depths[id(child)] for child in children), default=0)
            parts = [
                built[id(child)] if isinstance(child, Tree) else child for child in each.children
            ]
            # Rules that only lead to another one are no level: they vanish from our tree.
            depths[id(each)] = below + (len(each.children) > 1)
            if depths[id(each)] > MAX_NESTING:
                raise _too_deep()
            built[id(each)] = self._node(each, parts)
        root: Node = built[id(tree)]
        return root

    def _node(self, tree: Tree[Token], parts: list[Part]) -> Part:
        rule = str(tree.data)
        if rule == "literal":
            return self._literal(parts[0])
        make = _RULES.get(rule, _operation if len(parts) == 2 else _pass_on)
        at = 0 if tree.meta.empty else tree.meta.start_pos
        return make(at, [_SIGNS[rule], *parts] if rule in _SIGNS else parts)

    def _literal(self, token: Token) -> Node:
        at = token.start_pos or 0
        if at in self.texts:
            return Literal(at, self.texts[at])
        if token.type in {"BOOL_LIT", "NULL_LIT"}:
            return Literal(at, {"true": True, "false": False, "null": None}[token.value])
        return Literal(at, _number(token, at))


def _number(token: Token, at: int) -> int | float:
    if token.type == "FLOAT_LIT":
        value = float(token.value)
        if value in {float("inf"), float("-inf")}:
            raise FaultError("the number is too large", at)
        return value
    # Longer than any 64 bit number in any notation: not even converted.
    digits = token.value.rstrip("uU")
    number = int(digits, 16 if "0x" in digits else 10) if len(digits) <= 64 else UINT_MAX + 1
    if token.type == "UINT_LIT" and 0 <= number <= UINT_MAX:
        return UInt(number)
    if token.type == "UINT_LIT" or not INT_MIN <= number <= INT_MAX:
        raise FaultError("the integer does not fit in 64 bit", at)
    return number


def _pass_on(_at: int, parts: list[Part]) -> Part:
    return parts[0] if parts else ()


def _operation(at: int, parts: list[Part]) -> Part:
    """Make a node of a sign with its left operand (one part: the grammar's), and the right one."""
    if isinstance(parts[0], tuple):
        (sign, left), right = parts
        return Binary(at, sign, left, right)
    return Unary(at, parts[0], parts[1])


def _sign(_at: int, parts: list[Part]) -> Part:
    return tuple(parts) if len(parts) > 1 else parts[0]


def _logic(at: int, parts: list[Part]) -> Part:
    return parts[1] if len(parts) == 2 else Binary(at, parts[0], parts[1], parts[2])


def _choice(at: int, parts: list[Part]) -> Part:
    return parts[0] if len(parts) == 1 else Choice(at, parts[0], parts[1], parts[2])


def _name(_at: int, parts: list[Part]) -> Node:
    return Name(parts[0].start_pos, str(parts[0]))


def _select(_at: int, parts: list[Part]) -> Node:
    return Select(parts[1].start_pos, parts[0], str(parts[1]))


def _call(_at: int, parts: list[Part]) -> Node:
    arguments = parts[1] if len(parts) > 1 else ()
    return Call(parts[0].start_pos, str(parts[0]), arguments)


def _method(_at: int, parts: list[Part]) -> Node:
    target, token = parts[:2]
    at, name = token.start_pos, str(token)
    arguments: tuple[Node, ...] = parts[2] if len(parts) > 2 else ()
    if name not in MACROS:
        return Call(at, name, (target, *arguments))
    if not 2 <= len(arguments) <= (3 if name == "map" else 2):
        raise FaultError(f"{name} is written list.{name}(item, expression with item)", at)
    if not isinstance(arguments[0], Name):
        raise FaultError(f"the first argument of {name} must be a plain name", at)
    return Macro(at, name, target, arguments[0].name, arguments[1:])


def _index(at: int, parts: list[Part]) -> Node:
    return Binary(at, "[]", parts[0], parts[1])


def _message(at: int, _parts: list[Part]) -> Node:
    raise FaultError("messages are not supported; write a map as {'key': value}", at)


def _list(at: int, parts: list[Part]) -> Node:
    return ListOf(at, parts[0] if parts else ())


def _map(at: int, parts: list[Part]) -> Node:
    entries = parts[0] if parts else ()
    return MapOf(at, tuple(zip(entries[::2], entries[1::2], strict=True)))


def _sequence(_at: int, parts: list[Part]) -> tuple[Node, ...]:
    return tuple(parts)


_RULES: Final[dict[str, Callable[[int, list[Part]], Part]]] = {
    **dict.fromkeys(_SIGNS, _sign),
    "conditionalor": _logic,
    "conditionaland": _logic,
    "expr": _choice,
    "ident": _name,
    "dot_ident": _name,
    "ident_arg": _call,
    "dot_ident_arg": _call,
    "member_dot": _select,
    "member_dot_arg": _method,
    "member_index": _index,
    "member_object": _message,
    "list_lit": _list,
    "map_lit": _map,
    "exprlist": _sequence,
    "mapinits": _sequence,
    "fieldinits": _sequence,
}
