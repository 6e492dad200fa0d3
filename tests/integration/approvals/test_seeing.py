"""Who sees which requests, and what a list costs."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from pytest_django import DjangoAssertNumQueries

from approvals import selectors, services
from tests.integration.approvals.asking import Ask, Clock, People
from workflows.errors import NotFoundError

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def titles(user: User | AnonymousUser) -> list[str]:
    return [asked.title for asked in selectors.visible_requests(user).order_by("title")]


def inbox(user: User | AnonymousUser) -> list[str]:
    return [asked.title for asked in selectors.inbox(user).order_by("title")]


def test_people_see_what_they_are_asked_and_what_they_ask(ask: Ask, people: People) -> None:
    ask(title="A")
    ask(title="B", groups=["security"])
    ask(title="C", groups=["security"], users=["lena"])
    assert titles(people.lena) == inbox(people.lena) == ["A", "C"]
    assert titles(people.sam) == inbox(people.sam) == ["B", "C"]
    assert titles(people.alice) == ["A", "B", "C"]
    assert inbox(people.alice) == []
    assert titles(people.charlie) == inbox(people.charlie) == []
    assert titles(AnonymousUser()) == inbox(AnonymousUser()) == []


def test_the_permission_to_view_shows_all_and_decides_nothing(ask: Ask, people: People) -> None:
    ask(title="A")
    people.charlie.user_permissions.add(Permission.objects.get(codename="view_approvalrequest"))
    charlie = User.objects.get(username="charlie")
    assert titles(charlie) == ["A"]
    assert inbox(charlie) == []


def test_the_inbox_holds_what_waits_for_my_answer_only(ask: Ask, people: People) -> None:
    asked = ask(title="A", need="2")
    services.decide(asked.pk, user=people.lena, decision="approve")
    assert (inbox(people.lena), inbox(people.liam)) == ([], ["A"])
    services.decide(asked.pk, user=people.liam, decision="approve")
    assert inbox(people.liam) == []


def test_who_has_voted_still_sees_the_request_after_leaving(ask: Ask, people: People) -> None:
    asked = ask(title="A")
    services.decide(asked.pk, user=people.lena, decision="approve")
    people.lena.groups.clear()
    assert titles(people.lena) == ["A"]


def test_a_requester_who_may_decide_has_it_in_the_inbox(ask: Ask, people: People) -> None:
    ask(title="A", is_requester_barred=False)
    assert inbox(people.alice) == ["A"]


def test_one_request_or_none(ask: Ask, people: People) -> None:
    asked = ask()
    assert selectors.visible_request(people.lena, asked.pk) == asked
    with pytest.raises(NotFoundError):
        selectors.visible_request(people.charlie, asked.pk)
    for name in ("7", asked.run_id):
        with pytest.raises(NotFoundError):
            selectors.visible_request(people.lena, name)


def test_a_list_costs_the_same_for_one_and_for_many(
    ask: Ask, people: People, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        ask(title=str(number), groups=["legal", "security"], due_at=clock.now + timedelta(days=1))
    assert people.lena.has_perm("approvals.view_approvalrequest") is False  # read once a request
    with django_assert_num_queries(3):
        rows = list(selectors.inbox(people.lena))
        seen = [(row.groups, row.users, row.requester, list(row.votes.all())) for row in rows]
    assert len(seen) == 12
    assert seen[0] == (["legal", "security"], [], people.alice, [])
