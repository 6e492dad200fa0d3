"""The page of patterns has all of them, each with its test, and counts them rightly."""

import re
from collections import Counter
from pathlib import Path

from tests.support.patterns import PAGE, patterns

_ROW = re.compile(
    r"^\| (\d+) \| \[(.+?)\]\(#.+?\) \| (.+?) \| `(test_wcp_(\d\d)_\w+)` \|$", re.MULTILINE
)
_COUNT = re.compile(r"^(\d+) directly, (\d+) by a construction, (\d+) in part, none", re.MULTILINE)
_TEST = re.compile(r"^def (test_wcp_\w+)\(", re.MULTILINE)
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_pattern_is_on_the_page_with_a_document() -> None:
    assert sorted(patterns()) == list(range(1, 44))
    assert all(pattern.documents for pattern in patterns().values())


def test_the_table_says_what_the_page_says() -> None:
    rows = [(int(number), name, how) for number, name, how, _, _ in _ROW.findall(TEXT)]
    told = [(one.number, one.name, one.how.lower()) for one in patterns().values()]
    assert rows == sorted(told)


def test_the_table_names_the_test_of_each_pattern() -> None:
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    tests = {name for path in files for name in _TEST.findall(path.read_text(encoding="utf-8"))}
    for number, _, _, test, its_number in _ROW.findall(TEXT):
        assert test in tests
        assert int(number) == int(its_number)


def test_the_count_is_right() -> None:
    counted = Counter(pattern.how for pattern in patterns().values())
    found = _COUNT.search(TEXT)
    assert found is not None
    assert [int(count) for count in found.groups()] == [
        counted[how] for how in ("Directly", "By a construction", "In part")
    ]
