"""The pages are true: snippets compile, links lead somewhere, commands and tests exist."""

import ast
import json
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from workflows import clock
from workflows.compiler.compile import compile_document
from workflows.conf import settings
from workflows.definition.parse import read_document
from workflows.expressions import check_template
from workflows.management.verbs import verbs
from workflows.nodes.registry import kinds

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("deploy/*.md"),
    )
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#\s]*)(#[\w-]+)?\)")
TEST = re.compile(r"tests/[\w/]+(?:\.py(?:::\w+)?)?")
#: Where code is: indented by four, inside a fence, or between backticks.
COMMAND = re.compile(r"(?:^ {4}|`)((?:[A-Z_]+=\S+ )*(?:\.venv/bin/|make )[^`\n]*)", re.MULTILINE)
VERB = re.compile(r"manage\.py workflow ([a-z-]+)|`workflow ([a-z-]+)")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[str, int, str]]:
    """Return (page, line, text) of every fenced block in this language."""
    return [
        (page, text[: found.start()].count("\n") + 1, found[2])
        for page in PAGES
        for text in [text_of(page)]
        for found in FENCE.finditer(text)
        if found[1] == language
    ]


def named(found: list[tuple[str, int, str]]) -> list[Any]:
    return [pytest.param(text, id=f"{page}:{line}") for page, line, text in found]


def is_workflow(text: str) -> bool:
    return "workflow:" in text and "nodes:" in text


@pytest.mark.parametrize("text", named(blocks("yaml")))
def test_yaml_is_a_workflow_that_compiles_or_nodes_that_their_kinds_take(text: str) -> None:
    if is_workflow(text):
        queues = {*settings().queues, settings().default_queue}
        compiled = compile_document(read_document(text), kinds=kinds(), queues=queues)
        assert compiled.warnings == ()
        return
    for node in yaml.safe_load(text):
        kinds()[node["type"]].Config.model_validate(node)
        assert check_template(node).problems == ()


@pytest.mark.parametrize("text", named(blocks("json")))
def test_json_is_json(text: str) -> None:
    json.loads(text)


@pytest.mark.parametrize("text", named(blocks("python")))
def test_python_parses_and_imports_what_there_is(text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            module = __import__(node.module or "", fromlist=["*"])
            missing = [one.name for one in node.names if not has(module, one.name)]
            assert missing == [], node.module


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in {"workflows", "approvals", "project"}


def has(module: Any, name: str) -> bool:
    inside = Path(module.__file__).parent
    is_module = (inside / f"{name}.py").exists() or (inside / name).is_dir()
    return name == "*" or hasattr(module, name) or is_module


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    for found in LINK.finditer(text_of(page)):
        target = folder / found[1] if found[1] else ROOT / page
        assert target.exists(), found[0]
        if found[2]:
            assert found[2][1:] in anchors(target), found[0]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are made of their words."""
    lines = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_are_named_exist(page: str) -> None:
    for name in TEST.findall(text_of(page)):
        path, _, function = name.partition("::")
        assert (ROOT / path).exists(), name
        if function:
            assert f"\ndef {function}(" in (ROOT / path).read_text(encoding="utf-8"), name


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of every command of ours on a page."""
    for found in COMMAND.finditer(text_of(page)):
        words = shlex.split(found[1], comments=True)
        yield [word for word in words if not re.fullmatch(r"[A-Z_]+=.*", word)]


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    for words in commands(page):
        if words[0] == "make":
            assert words[1] in targets(), words
        elif words[:1] == [".venv/bin/python"] and words[1] == "manage.py":
            assert words[2] in get_commands(), words
            if words[2] == "workflow":
                refuse_unknown_options(words[3:])


@pytest.mark.parametrize("page", PAGES)
def test_verbs_exist(page: str) -> None:
    named = {one or other for one, other in VERB.findall(text_of(page))}
    assert named - {"--help"} <= set(verbs())


@cache
def targets() -> frozenset[str]:
    """Return the targets of the Makefile."""
    return frozenset(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))


def refuse_unknown_options(words: list[str]) -> None:
    """Read the words behind `workflow` as the command does; it exits when they do not fit."""
    if words[0] == "--help":
        return
    parser = ArgumentParser(prog=words[0], exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--json", action="store_true")
    verbs()[words[0]].add_arguments(parser)
    if "--help" not in words:
        parser.parse_args(words[1:])


def test_the_tutorial_prints_what_its_workflow_does() -> None:
    text = text_of("docs/tutorial/first-workflow.md")
    found = dict(reversed(FENCE.findall(text)))
    decided = tried(found["yaml"], found["json"])
    assert f"{ended(decided)} of virtual time\noutput: {json.dumps(decided['output'])}\n" in text
    assert f"`{ended(tried(found['yaml'], '[]'))} of virtual time`" in text


def tried(definition: str, events: str) -> dict[str, Any]:
    """Return what `workflow try` reports: in a process of its own, without the tests' database."""
    given = '{"supplier": "Ada Ltd", "amount": 9000}'
    command = [sys.executable, "manage.py", "workflow", "try", "-", "--json"]
    command += ["--input", given, "--events", events]
    done = subprocess.run(
        command, cwd=ROOT, input=definition, capture_output=True, text=True, check=True
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def ended(report: dict[str, Any]) -> str:
    took = clock.spoken(timedelta(seconds=report["virtual_duration_s"]))
    return f"{report['status']} ({report['result']}) after {took}"
