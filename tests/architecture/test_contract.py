"""Each sentence of the contract has a test, and each test that names one names it right."""

from collections import Counter
from difflib import get_close_matches

import pytest

from tests.contract.page import PATH, page
from tests.contract.reading import listed, named_in, sentences, shown_by
from workflows.nodes.registry import kinds

OF_KINDS = sentences()["kinds"]


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_sentence_of_a_kind_has_a_test(kind: str) -> None:
    assert OF_KINDS.get(kind), f"write what {kind!r} promises into tests/contract/sentences.yaml"
    assert [each for each in OF_KINDS[kind] if each not in shown_by()] == []


def test_every_other_sentence_has_a_test() -> None:
    of_topics = listed({"topics": sentences()["topics"]})
    assert [each for each in of_topics if each not in shown_by()] == []


def test_every_kind_of_the_list_exists() -> None:
    assert set(OF_KINDS) - set(kinds()) == set()


def test_every_docstring_names_a_sentence_of_the_list() -> None:
    known = listed(sentences())
    wrong = {
        f"{place}: {said}": get_close_matches(said, known, n=1)
        for said, places in shown_by().items()
        if said not in known
        for place in places
    }
    assert wrong == {}, "no such sentence in tests/contract/sentences.yaml; the nearest is shown"


def test_no_sentence_is_listed_twice() -> None:
    assert [each for each, times in Counter(listed(sentences())).items() if times > 1] == []


def test_the_page_is_up_to_date() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_only_the_first_lines_of_a_tests_docstring_count() -> None:
    source = '''
def test_one():
    """Contract: a
    Contract: b

    Contract: c
    """

def helper():
    """Contract: d"""

class InAClass:
    def test_two(self):
        """Contract: e"""
'''
    assert list(named_in(source)) == [("test_one", "a"), ("test_one", "b"), ("test_two", "e")]
