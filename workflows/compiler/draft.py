"""A document on its way to a plan: everything that the checks look at, read once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.compiler.graph import Graph
from workflows.compiler.matching import Matching
from workflows.compiler.nearest import Nearest
from workflows.compiler.salvage import Reading
from workflows.definition.fields import Mark, marked
from workflows.definition.model import Definition, NodeConfig, StepConfig
from workflows.definition.parse import Document
from workflows.errors import ExpressionError, Problem
from workflows.expressions import ExpressionInfo
from workflows.nodes.base import Kind

#: What an installation does not allow of a node: (JSON pointer inside the node, message) each.
Refused = Callable[[NodeConfig], Iterable[tuple[str, str]]]

START = "start"
FAN_OUT = "fan_out"
COMPENSATE = "compensate"


@dataclass(frozen=True, slots=True)
class Field:
    """One marked field of a node (or of the document): what it is, its value, and its pointer."""

    mark: Mark
    value: Any
    pointer: str
    node: "DraftNode | None" = None

    @property
    def hint(self) -> str:
        """What to say of a path or bare CEL that is refused: most often it is in `${}`."""
        bare = self.value[2:-1].strip() if _is_braced(self.value) else ""
        return f"; this field takes it without `${{}}`: {bare}" if bare else ""


def _is_braced(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("${") and value.endswith("}")


@dataclass(frozen=True, slots=True)
class DraftNode:
    """A node as far as it could be read.

    `kind` is None when it is unknown; `guess` is then the kind that was probably meant, which
    lends its edges and nothing else. `is_sound` tells that nothing was wrong with the fields.
    """

    name: str  # the id; a made-up one if it has none, or if it is somebody else's
    pointer: str
    raw: Mapping[str, Any]
    kind: Kind[Any] | None
    guess: Kind[Any] | None
    reading: Reading[NodeConfig]

    @property
    def id(self) -> str | None:
        """The id as it is written, if it is text."""
        found = self.raw.get("id")
        return found if isinstance(found, str) else None

    @property
    def config(self) -> NodeConfig | None:
        """The config, for checks of its fields."""
        return self.reading.config if self.kind is not None else None

    @property
    def is_sound(self) -> bool:
        """Whether kind and fields are as they must be."""
        return self.kind is not None and not self.reading.mistakes and self.config is not None

    @property
    def next_list(self) -> list[str]:
        """The ids of a `next` that is a list: a fan-out written short."""
        config = self.reading.config
        if isinstance(config, StepConfig) and isinstance(config.next, list):
            return config.next
        return []

    def is_a(self, name: str) -> bool:
        """Tell whether the node's kind has this name."""
        return self.kind is not None and self.kind.name == name


@dataclass(frozen=True, slots=True)
class Use:
    """What an expression uses, or why it is refused; `inside` is a pointer inside of its field."""

    field: Field
    inside: str
    found: ExpressionInfo | ExpressionError


@dataclass(frozen=True, slots=True)
class Draft:
    """What every check gets; names of things elsewhere are None when they are not known here.

    `definition` is what could be read of the whole; `early` tells what was wrong with it; `uses`
    what became of its expressions; `nearest` suggests known names for unknown ones.
    """

    document: Document
    definition: Definition | None
    nodes: tuple[DraftNode, ...]
    kinds: Mapping[str, Kind[Any]]
    graph: Graph
    matching: Matching
    bodies: Mapping[str, frozenset[str]]
    early: tuple[Problem, ...]
    activities: Collection[str] | None = None
    queues: Collection[str] | None = None
    workflows: Mapping[str, int] | None = None
    tasks: Collection[str] | None = None
    refused: Refused | None = None
    by_name: Mapping[str, DraftNode] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    nearest: Nearest = field(default_factory=Nearest)

    def problem(
        self,
        code: str,
        message: str,
        *,
        at: str,
        at_key: bool = False,
        severity: str = "error",
    ) -> Problem:
        """Return a problem with the line and column of the pointer `at`."""
        return place_problem(self.document, code, message, at=at, at_key=at_key, severity=severity)

    def node_problem(
        self, code: str, message: str, *, node: DraftNode, at: str = "", severity: str = "error"
    ) -> Problem:
        """Return a problem with a node; `at` is a pointer inside its config."""
        pointer = node.pointer + node.reading.in_document(at)
        return self.problem(code, message, at=pointer, severity=severity)

    def fields(self, *kinds_of_mark: str) -> Iterator[Field]:
        """Yield the marked fields of the document and of its nodes; lists item by item."""
        if self.definition is not None:
            yield from _fields(self.definition, None, kinds_of_mark)
        for node in self.nodes:
            if node.config is not None:
                yield from _fields(node.config, node, kinds_of_mark)

    def field_problem(
        self, code: str, message: str, *, of: Field, inside: str = "", severity: str = "error"
    ) -> Problem:
        """Return a problem with a marked field; `inside` is a pointer inside its value."""
        if of.node is None:
            return self.problem(code, message, at=of.pointer + inside, severity=severity)
        named = f"node {of.node.id!r}: {message}" if of.node.id else message
        at = of.pointer + inside
        return self.node_problem(code, named, node=of.node, at=at, severity=severity)


def can_be_undone(node: DraftNode) -> bool:
    """Tell whether a node says what undoes it."""
    return getattr(node.config, "compensate", None) is not None


def place_problem(
    document: Document,
    code: str,
    message: str,
    *,
    at: str,
    at_key: bool = False,
    severity: str = "error",
) -> Problem:
    """Return a problem with the line and column that `at` has in the document."""
    line, column = document.locate(at, key=at_key) or (None, None)
    return Problem(code, message, at, line, column, severity)


def _fields(
    model: NodeConfig | Definition, node: DraftNode | None, wanted: tuple[str, ...]
) -> Iterator[Field]:
    for mark, value, pointer in marked(model):
        if mark.is_a not in wanted or value is None:
            continue
        if isinstance(value, list | tuple) and mark.is_a not in ("template", "schema"):
            for index, item in enumerate(value):
                yield Field(mark, item, f"{pointer}/{index}", node)
        else:
            yield Field(mark, value, pointer, node)
