"""The one text that stands for a licence: four sources, in this order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.dependency_review.licences import choose_licence
from examples.dependency_review.metadata import Metadata, read_metadata

OSI = "License :: OSI Approved"


def licence_of(folder: Path, *headers: str, end_of_line: str = "\n") -> str:
    lines = ["Metadata-Version: 2.1", "Name: a", "Version: 1", *headers, "", "License: body"]
    (folder / "METADATA").write_bytes(end_of_line.join(lines).encode())
    return choose_licence(read_metadata(folder))


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        (["License-Expression: MIT", f"Classifier: {OSI} :: BSD License", "License: x"], "MIT"),
        (["license-expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0"),
        (["License-Expression:  ", "License: x"], "x"),
        (["License-Expression: MIT", "  OR ISC"], "MIT OR ISC"),
        ([f"Classifier: {OSI} :: BSD License", "License: x"], "BSD License"),
        (["Classifier: License :: Public Domain"], "Public Domain"),
        (
            [f"Classifier: {OSI} :: MIT License", f"Classifier: {OSI} :: BSD License"],
            "BSD License OR MIT License",
        ),
        (
            [f"Classifier: {OSI} :: MIT License", "Classifier: License :: MIT License"],
            "MIT License",
        ),
        ([f"Classifier: {OSI}", f"Classifier: {OSI} :: MIT License"], "MIT License"),
        ([f"Classifier: {OSI}", "License: ours"], "ours"),
        ([f"Classifier: {OSI}"], "unknown"),
        (["Classifier: License", "Classifier: License ::"], "unknown"),
        (["Classifier: Licensed :: Thing", "Classifier: Topic :: License :: No"], "unknown"),
        (["Classifier: Programming Language :: Python", "License: MIT"], "MIT"),
        (["Classifier: License  ::  OSI Approved  ::  MIT License  "], "MIT License"),
        (["License:   BSD 3-Clause  "], "BSD 3-Clause"),
        (["License: UNKNOWN"], "unknown"),
        (["License: Unknown"], "Unknown"),
        (["License:"], "unknown"),
        (["License:    "], "unknown"),
        (["License: " + "x" * 60], "x" * 60),
        (["License: " + "x" * 61], "unknown"),
        (["License: MIT License", "        ", "        Copyright someone"], "MIT License"),
        (["License: ", "        Copyright someone"], "unknown"),
        (["License: " + "x" * 61, "  MIT"], "unknown"),
        (["License: first", "License: second"], "first"),
        (["License: Lizenz für alle"], "Lizenz für alle"),
        ([], "unknown"),
        (["License-File: LICENSE"], "unknown"),
    ],
)
@pytest.mark.parametrize("end_of_line", ["\n", "\r\n"])
def test_the_rules_in_their_order(
    tmp_path: Path, headers: list[str], licence: str, end_of_line: str
) -> None:
    assert licence_of(tmp_path, *headers, end_of_line=end_of_line) == licence


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=70)
last_parts = st.sampled_from(["MIT License", "BSD License", "OSI Approved", ""])
classifiers = st.lists(
    st.builds("{} :: {}".format, st.sampled_from(["License", OSI, "Topic"]), last_parts),
    max_size=5,
).map(tuple)


@given(expression=words, first_line=words, lines=classifiers)
def test_the_first_source_that_says_something_wins(
    expression: str, first_line: str, lines: tuple[str, ...]
) -> None:
    found = choose_licence(Metadata("a", "1", expression, first_line, lines))
    named = {line.rpartition(" :: ")[2] for line in lines if line.startswith("License")}
    named -= {"OSI Approved", ""}
    if expression:
        assert found == expression
    elif named:
        assert found.split(" OR ") == sorted(named)
    elif first_line and first_line != "UNKNOWN" and len(first_line) <= 60:
        assert found == first_line
    else:
        assert found == "unknown"


@given(lines=classifiers)
def test_the_order_of_classifiers_changes_nothing(lines: tuple[str, ...]) -> None:
    backwards = Metadata("a", "1", classifiers=lines[::-1] + lines)
    assert choose_licence(backwards) == choose_licence(Metadata("a", "1", classifiers=lines))
