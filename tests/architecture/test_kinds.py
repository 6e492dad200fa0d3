"""A kind is one file and its test, and each of its fields is described."""

import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from workflows.nodes import builtin
from workflows.nodes.registry import kinds

TESTS = Path(__file__).parent.parent / "unit" / "nodes"
EXAMPLES = Path(__file__).parents[2] / "examples"
MODULES = sorted(info.name for info in pkgutil.iter_modules(builtin.__path__))


def models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models that a field can hold, inside of lists and optionals too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from all_models(annotation)
    for part in get_args(annotation):
        yield from models_of(part)


def all_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        yield from models_of(field.annotation)


def test_there_are_kinds() -> None:
    assert {"start", "end", "edit", "switch", "activity", "fan_out", "fan_in"} <= set(MODULES)
    assert {"batch", "map", "delay", "wait_event", "fail"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_one_kind_of_its_name(module: str) -> None:
    inside = [
        name
        for name, kind in kinds().items()
        if type(kind).__module__ == f"{builtin.__name__}.{module}"
    ]
    assert inside == [module]


@pytest.mark.parametrize("module", MODULES)
def test_a_kind_has_a_test_file(module: str) -> None:
    text = (TESTS / f"test_{module}.py").read_text()
    assert "\ndef test_" in text


@pytest.mark.parametrize("module", MODULES)
def test_a_kind_has_an_example_that_runs(module: str) -> None:
    """Examples with an expected result are run by tests/scenarios, the review by its own tests."""
    files = [file for file in EXAMPLES.glob("*/*.yaml") if f"type: {module}" in file.read_text()]
    assert any(
        (file.parent / name).exists()
        for file in files
        for name in ("expected.json", "expected_report.json")
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_kind_has_at_most_120_lines(module: str) -> None:
    (folder,) = builtin.__path__
    assert len((Path(folder) / f"{module}.py").read_text().splitlines()) <= 120


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_field_is_described(name: str) -> None:
    kind = kinds()[name]
    bare = [
        f"{model.__name__}.{field}"
        for model in all_models(kind.Config)
        for field, info in model.model_fields.items()
        if not info.description or not info.description.endswith(".")
    ]
    assert bare == []


@pytest.mark.parametrize("name", sorted(kinds()))
def test_configs_are_frozen_and_refuse_unknown_fields(name: str) -> None:
    for model in all_models(kinds()[name].Config):
        assert model.model_config.get("frozen") is True, model
        assert model.model_config.get("extra") == "forbid", model


@pytest.mark.parametrize("name", sorted(kinds()))
def test_kind_and_config_have_a_docstring_of_their_own(name: str) -> None:
    kind = kinds()[name]
    assert type(kind).__doc__
    for model in all_models(kind.Config):
        assert model.__doc__, model


@pytest.mark.parametrize("name", sorted(kinds()))
def test_a_json_schema_can_be_made(name: str) -> None:
    schema = kinds()[name].Config.model_json_schema(by_alias=True)
    assert {"id", "type"} <= set(schema["properties"])
