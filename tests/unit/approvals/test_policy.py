"""The rules of approvals, on plain values. Alice starts; Lena and Liam are in legal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.policy import (
    Person,
    Rules,
    Tally,
    group_through,
    verdict,
    votes_needed,
    why_not,
    why_unsettleable,
)

ALICE = Person(1, "alice", is_active=True, groups=frozenset({"legal"}))
LENA = Person(2, "lena", is_active=True, groups=frozenset({"legal", "staff"}))
SAM = Person(4, "sam", is_active=True, groups=frozenset({"security"}))
CHARLIE = Person(5, "charlie", is_active=True, groups=frozenset())
GONE = Person(6, "gwen", is_active=False, groups=frozenset({"legal"}))

LEGAL = Rules(groups=("legal",), users=("sam",), barred=1)


@pytest.mark.parametrize(
    ("person", "rule"),
    [
        (LENA, None),
        (SAM, None),
        (ALICE, "requester"),
        (CHARLIE, "not_asked"),
        (GONE, "inactive"),
    ],
)
def test_who_may_decide(person: Person, rule: str | None) -> None:
    refusal = why_not(person, LEGAL)
    assert (refusal.rule if refusal else None) == rule


def test_the_requester_may_decide_when_the_author_allows_it() -> None:
    assert why_not(ALICE, Rules(groups=("legal",), users=())) is None


def test_a_refusal_says_who_was_asked() -> None:
    refusal = why_not(CHARLIE, LEGAL)
    assert refusal is not None
    assert "members of legal; sam" in refusal.message


def test_the_group_through_which_somebody_decides() -> None:
    assert group_through(LENA, LEGAL) == "legal"
    assert group_through(SAM, LEGAL) == ""


@pytest.mark.parametrize(
    ("need", "people", "needed"),
    [("1", 9, 1), ("3", 2, 3), ("all", 4, 4), ("all", 0, 1), ("50%", 4, 2), ("50%", 5, 3),
     ("100%", 7, 7), ("1%", 5, 1), ("67%", 3, 3), ("66%", 3, 2)],
)  # fmt: skip
def test_votes_needed(need: str, people: int, needed: int) -> None:
    assert votes_needed(need, people) == needed


@pytest.mark.parametrize(
    ("need", "approvals", "rejections", "waiting", "expected"),
    [
        ("1", 0, 0, 2, None),
        ("1", 1, 0, 1, "approved"),
        ("1", 0, 1, 5, "rejected"),  # the first decision settles
        ("2", 1, 0, 1, None),
        ("2", 0, 1, 2, None),  # two others could still agree
        ("2", 0, 1, 1, "rejected"),
        ("2", 1, 1, 1, None),
        ("2", 2, 1, 0, "approved"),
        ("all", 2, 0, 1, None),
        ("all", 3, 0, 0, "approved"),
        ("all", 2, 1, 0, "rejected"),
        ("all", 0, 1, 2, "rejected"),
        ("50%", 1, 1, 2, None),
        ("50%", 2, 1, 1, "approved"),
        ("50%", 0, 3, 1, "rejected"),
        ("25%", 0, 1, 3, "rejected"),  # one is enough, so the first decision settles
    ],
)
def test_verdicts(
    need: str, approvals: int, rejections: int, waiting: int, expected: str | None
) -> None:
    assert verdict(need, Tally(approvals, rejections, waiting)) == expected


needs = st.one_of(st.integers(1, 6).map(str), st.just("all"), st.integers(1, 100).map("{}%".format))


@given(needs, st.lists(st.booleans(), min_size=1, max_size=6))
def test_votes_of_everybody_settle_every_settleable_request(need: str, votes: list[bool]) -> None:
    if votes_needed(need, len(votes)) > len(votes):
        return
    seen: list[str] = []
    for count in range(1, len(votes) + 1):
        given_so_far = votes[:count]
        tally = Tally(sum(given_so_far), count - sum(given_so_far), len(votes) - count)
        outcome = verdict(need, tally)
        if outcome:
            seen.append(outcome)
            break
    assert seen
    if all(votes):
        assert seen == ["approved"]


@given(needs, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_a_further_vote_never_turns_a_verdict(need: str, yes: int, no: int, waiting: int) -> None:
    if not waiting or need == "1" or votes_needed(need, yes + no + waiting) == 1:
        return
    before = verdict(need, Tally(yes, no, waiting))
    if before == "approved":
        assert verdict(need, Tally(yes, no + 1, waiting - 1)) == "approved"
    if before == "rejected":
        assert verdict(need, Tally(yes + 1, no, waiting - 1)) == "rejected"


@pytest.mark.parametrize(
    ("need", "rules", "people", "unknown", "words"),
    [
        ("1", Rules((), ()), 0, (), "nobody"),
        ("1", Rules(("leggal",), ()), 0, ("group 'leggal'",), "no such group 'leggal'"),
        ("1", Rules(("legal",), (), barred=1), 0, (), "apart from the person who asks"),
        ("3", Rules(("legal",), ()), 2, (), "3 approvals are needed, and only 2"),
    ],
)
def test_what_nobody_could_settle(
    need: str, rules: Rules, people: int, unknown: tuple[str, ...], words: str
) -> None:
    assert words in why_unsettleable(need, rules, people=people, unknown=unknown)


def test_what_somebody_can_settle() -> None:
    assert why_unsettleable("2", LEGAL, people=2, unknown=()) == ""
