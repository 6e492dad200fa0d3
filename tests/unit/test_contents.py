"""What goes into a row and what is kept outside: the threshold, and what looks like a reference."""

from typing import Any

import pytest

from workflows import contents
from workflows.context.values import dumps

DIGEST = "f" * 64


@pytest.fixture(autouse=True)
def keeping(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is kept outside, in order."""
    found: list[bytes] = []

    def keep(data: bytes) -> str:
        found.append(data)
        return DIGEST

    monkeypatch.setattr(contents, "_keep", keep)
    return found


def of_size(size: int, letter: str = "x") -> dict[str, Any]:
    """Return a context whose compact text has `size` bytes of UTF-8."""
    room = size - len(dumps({"a": "", "b": ""}))
    each = len(letter.encode())
    context = {"a": letter * (room // each), "b": "y" * (room % each)}
    assert len(dumps(context).encode()) == size
    return context


@pytest.mark.parametrize("letter", ["x", "ß", "語", "😀"])
def test_64_kb_of_utf_8_stay_in_the_row(keeping: list[bytes], letter: str) -> None:
    small, large = of_size(65_536, letter), of_size(65_537, letter)
    assert contents.packed(small) is small
    assert not keeping
    assert contents.packed(large) == {contents.KEY: DIGEST}
    assert keeping == [dumps(large).encode()]


def test_the_text_of_a_column_is_the_context_or_the_reference(keeping: list[bytes]) -> None:
    assert contents.as_text(None) is None
    assert contents.as_text({"b": 1, "a": 1.0}) == '{"b": 1, "a": 1.0}'
    assert contents.as_text(of_size(70_000)) == f'{{"{contents.KEY}": "{DIGEST}"}}'
    assert len(keeping) == 1


def test_what_looks_like_a_reference_is_kept_outside(keeping: list[bytes]) -> None:
    alike = {contents.KEY: "0" * 64}
    assert contents.packed(alike) == {contents.KEY: DIGEST}
    assert keeping == [dumps(alike).encode()]


@pytest.mark.parametrize(
    "value",
    [
        {contents.KEY: "0" * 63},
        {contents.KEY: "G" * 64},
        {contents.KEY: None},
        {contents.KEY: "0" * 64, "more": 1},
        [contents.KEY],
        {},
    ],
)
def test_what_does_not_look_like_one_stays(keeping: list[bytes], value: Any) -> None:
    assert contents.packed(value) is value
    assert contents.read(value) is value
    assert not keeping


def test_the_texts_used_last_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_CACHE_BYTES", 10)
    texts = contents._Texts()
    texts.add("one", b"1111")
    texts.add("two", b"2222")
    assert texts.find("one") == b"1111"
    texts.add("three", b"3333")
    assert texts.find("two") is None
    assert texts.find("one") == b"1111"
    texts.add("huge", b"0" * 11)
    assert texts.find("huge") is None
    assert texts.find("three") == b"3333"
