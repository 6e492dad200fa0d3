"""Kinds that are not our own: the compiler relies on nothing but the interface of a kind."""

from typing import Any, ClassVar

import pytest
from pydantic import Field

from workflows.compiler.compile import Compiled, compile_document
from workflows.definition.fields import Cel, NodeRef
from workflows.definition.model import NodeConfig, StepConfig
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError, Problem
from workflows.nodes.base import Kind
from workflows.nodes.registry import kinds


class GateConfig(StepConfig):
    opens: NodeRef | None = None
    ways: dict[str, str] = Field(default_factory=dict)
    key: Cel | None = None


class Gate(Kind[GateConfig]):
    name = "gate"
    Config = GateConfig
    names: ClassVar[tuple[str, ...]] = ()

    def ports(self, config: GateConfig) -> dict[str, str | None]:
        return {**super().ports(config), "opens": config.opens, **config.ways}

    def required_ports(self, config: GateConfig) -> tuple[str, ...]:  # noqa: ARG002 - the interface
        return ("opens",)

    def sets(self, config: GateConfig) -> tuple[str, ...]:  # noqa: ARG002 - the interface
        return self.names


class FragileConfig(NodeConfig):
    targets: dict[str, str]


class Fragile(Kind[FragileConfig]):
    name = "fragile"
    Config = FragileConfig

    def ports(self, config: FragileConfig) -> dict[str, str | None]:
        return dict(config.targets.items())


class OpenGate(Gate):
    names = ("*",)


def compiled(text: str, **more: Kind[Any]) -> Compiled:
    known = {**kinds(), "gate": Gate(), "fragile": Fragile(), **more}
    return compile_document(read_document(text), kinds=known)


def problems(*lines: str) -> list[Problem]:
    try:
        compiled("workflow: w\nnodes:\n" + "".join(f"- {{{line}}}\n" for line in lines))
    except DefinitionError as error:
        return error.problems
    return []


START, END = "id: start, type: start, next: a", "id: end, type: end"


def test_a_required_port_must_be_connected() -> None:
    (problem,) = problems(START, "id: a, type: gate, next: end", END)
    assert (problem.code, problem.line, problem.column) == ("port_open", 4, 3)
    assert "'opens'" in problem.message
    assert problems(START, "id: a, type: gate, opens: end", END) == []


def test_a_port_that_no_field_is_marked_as_is_checked_too() -> None:
    (problem,) = problems(START, "id: a, type: gate, opens: end, ways: {left: edn}", END)
    assert problem.code == "unknown_node"
    assert "port 'left'" in problem.message
    assert "did you mean 'end'" in problem.message


def test_a_kind_that_stumbles_over_a_missing_field_is_no_trouble() -> None:
    assert [one.code for one in problems(START, "id: a, type: fragile")] == ["missing_field"]


def test_a_list_of_next_needs_the_fan_out() -> None:
    text = "workflow: w\nnodes: [{id: a, type: start, next: [b]}, {id: b, type: end}]"
    known = {name: kind for name, kind in kinds().items() if name != "fan_out"}
    with pytest.raises(DefinitionError) as caught:
        compile_document(read_document(text), kinds=known)
    assert [one.code for one in caught.value.problems] == ["unknown_kind"]


def test_a_kind_that_may_set_any_name_silences_the_warning() -> None:
    text = (
        "workflow: w\ninput: {properties: {x: {}}}\nnodes:\n"
        f"- {{{START}}}\n- {{id: a, type: gate, opens: end, key: unheard_of}}\n- {{{END}}}\n"
    )
    assert [one.code for one in compiled(text).warnings] == ["unknown_name"]
    assert compiled(text, gate=OpenGate()).warnings == ()
