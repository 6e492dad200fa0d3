"""Who may decide and when a request is settled: rules on plain values, without a database.

The facts are read by `approvals.selectors` inside the transaction of the decision, so that a
person who left the group a second ago is no longer asked.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Person:
    """What the rules need to know about somebody, as it is now."""

    id: int
    username: str
    is_active: bool
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """To whom a request is addressed; `barred` is the id of the requester who may not decide."""

    groups: tuple[str, ...]
    users: tuple[str, ...]
    barred: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes given so far, and how many people could still give one."""

    approvals: int
    rejections: int
    waiting: int

    @property
    def people(self) -> int:
        return self.approvals + self.rejections + self.waiting


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that stands in somebody's way."""

    rule: Literal["inactive", "requester", "not_asked"]
    message: str


def why_not(person: Person, rules: Rules) -> Refusal | None:
    """Return the rule that forbids `person` to decide, or None when they may."""
    if not person.is_active:
        return Refusal("inactive", f"The account {person.username!r} is not active.")
    if person.id == rules.barred:
        return Refusal(
            "requester",
            f"{person.username!r} asked for this decision and may not take it: "
            "somebody else who was asked has to decide (not: {requester: true}).",
        )
    if person.username not in rules.users and not person.groups & set(rules.groups):
        return Refusal(
            "not_asked",
            f"{person.username!r} was not asked: only {describe(rules)} may decide.",
        )
    return None


def group_through(person: Person, rules: Rules) -> str:
    """Return the first listed group through which `person` may decide, or '' if asked by name."""
    return next((name for name in rules.groups if name in person.groups), "")


def describe(rules: Rules) -> str:
    """Return the addressees in words: 'members of legal, security; lena'."""
    parts = []
    if rules.groups:
        parts.append(f"members of {', '.join(rules.groups)}")
    if rules.users:
        parts.append(", ".join(rules.users))
    return "; ".join(parts) or "nobody"


def votes_needed(need: str, people: int) -> int:
    """Return how many approvals `need` asks for when `people` could vote in all; at least 1.

    `need` is a number, `all`, or a percentage of the people, which is rounded up.
    """
    if need == "all":
        return max(1, people)
    if need.endswith("%"):
        return max(1, -(-people * int(need[:-1]) // 100))
    return int(need)


def verdict(need: str, tally: Tally) -> Verdict | None:
    """Return how a request is settled by these votes, or None while it is open.

    When one approval is enough, the first decision settles, whichever way it goes. Otherwise a
    rejection settles as soon as too few others are left to reach the quorum.
    """
    needed = votes_needed(need, tally.people)
    if tally.approvals >= needed:
        return "approved"
    if tally.rejections and needed == 1:
        return "rejected"
    return "rejected" if tally.approvals + tally.waiting < needed else None


def why_unsettleable(need: str, rules: Rules, *, people: int, unknown: tuple[str, ...]) -> str:
    """Return why nobody could ever settle such a request, or '' when somebody can.

    `people` counts those who may decide now; `unknown` names groups and people that do not exist.
    """
    if not rules.groups and not rules.users:
        return "it is addressed to nobody: name at least one group or user in `to`"
    if unknown:
        return f"there is no such {' and no '.join(unknown)}"
    if not people:
        barred = " apart from the person who asks" if rules.barred is not None else ""
        return f"{describe(rules)}: none of them has an active account{barred}"
    needed = votes_needed(need, people)
    if needed > people:
        return f"{needed} approvals are needed, and only {people} of {describe(rules)} may decide"
    return ""
