"""Reads: who is asked, who may decide now, and which requests somebody may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, PermissionsMixin
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from approvals.models import Addressee, ApprovalRequest, RequestStatus, Vote
from approvals.policy import Person, Rules, Tally
from workflows.errors import NotFoundError

#: Anybody who may be logged in; only users with groups and permissions are ever asked.
AnyUser = AbstractBaseUser | AnonymousUser


def person_now(user: AnyUser) -> Person:
    """Return what the rules need to know about `user`, read afresh. Raises NotFoundError."""
    found: Any = get_user_model().objects.filter(pk=_id(user)).first()
    if found is None:
        raise NotFoundError("There is no such user any more; log in again.")
    groups = frozenset(found.groups.values_list("name", flat=True))
    return Person(found.pk, found.get_username(), found.is_active, groups)


def rules_of(request: ApprovalRequest) -> Rules:
    """Return whom a request is addressed to and who is barred."""
    barred = request.requester_id if request.is_requester_barred else None
    return Rules(tuple(request.groups), tuple(request.users), barred)


def candidates(rules: Rules) -> QuerySet[Any]:
    """Return the active users who may decide now, each once."""
    users = get_user_model()
    asked = Q(groups__name__in=rules.groups) | Q(**{f"{users.USERNAME_FIELD}__in": rules.users})
    found = users.objects.filter(asked, is_active=True)
    return (found if rules.barred is None else found.exclude(pk=rules.barred)).distinct()


def unknown_names(rules: Rules) -> tuple[str, ...]:
    """Return the groups and people in `rules` that do not exist, ready to be read."""
    users = get_user_model()
    name = users.USERNAME_FIELD
    named = users.objects.filter(**{f"{name}__in": rules.users})
    groups = set(Group.objects.filter(name__in=rules.groups).values_list("name", flat=True))
    people = set(named.values_list(name, flat=True))
    return (
        *(f"group {group!r}" for group in rules.groups if group not in groups),
        *(f"user {user!r}" for user in rules.users if user not in people),
    )


def tally(request: ApprovalRequest, votes: Iterable[Vote]) -> Tally:
    """Count the votes, and those who may still vote as things are now."""
    given = list(votes)
    approvals = sum(vote.decision == "approve" for vote in given)
    voted = [vote.user_id for vote in given if vote.user_id is not None]
    waiting = candidates(rules_of(request)).exclude(pk__in=voted).count()
    return Tally(approvals, len(given) - approvals, waiting)


def visible_requests(user: AnyUser) -> QuerySet[ApprovalRequest]:
    """Return the requests that `user` may see: asked, asking, has voted, or may see all.

    Each has `may_decide` (see `inbox`), and what pages show is read along with it.
    """
    may_decide = ExpressionWrapper(_may_decide(user), output_field=BooleanField())
    requests = (
        ApprovalRequest.objects.annotate(may_decide=may_decide)
        .select_related("requester")
        .prefetch_related("addressees", "votes")
    )
    if not user.is_active:  # nobody is logged in, or the account was closed
        return requests.none()
    if _sees_all(user):
        return requests
    return requests.filter(Q(_is_asked(user)) | Q(requester_id=_id(user)) | Q(_has_voted(user)))


def inbox(user: AnyUser) -> QuerySet[ApprovalRequest]:
    """Return the open requests that `user` may decide now and has not answered, newest first."""
    return visible_requests(user).filter(Q(may_decide=True))


def visible_request(user: AnyUser, request_id: UUID | str) -> ApprovalRequest:
    """Return one request that `user` may see. Raises NotFoundError."""
    found = visible_requests(user).filter(pk=as_uuid(request_id)).first()
    if found is None:
        raise NotFoundError(f"There is no approval request {request_id}, or you may not see it.")
    return found


def request_of(suspension_id: UUID | str) -> ApprovalRequest:
    """Return the request that a sleeping thread has opened. Raises NotFoundError."""
    found = ApprovalRequest.objects.filter(suspension_id=as_uuid(suspension_id)).first()
    if found is None:
        raise NotFoundError(f"There is no approval request of the wait {suspension_id}.")
    return found


def as_uuid(text: UUID | str) -> UUID:
    """Return an id as a UUID. Raises NotFoundError: what is no id names nothing."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFoundError(f"{str(text)[:80]!r} is not the id of an approval request.") from None


def _id(user: AnyUser) -> int:
    """Return the id; nobody's is 0, which is nobody's in any table either."""
    return user.pk or 0


def _sees_all(user: AnyUser) -> bool:
    # Every user model of a project with groups has this; the plain base class does not.
    return isinstance(user, PermissionsMixin) and user.has_perm("approvals.view_approvalrequest")


def _is_asked(user: AnyUser) -> Exists:
    groups = Group.objects.filter(user=_id(user)).values("name")
    to_group = Q(is_group=True, name__in=groups)
    by_name = Q(is_group=False, name=user.get_username())
    return Exists(Addressee.objects.filter(to_group | by_name, request=OuterRef("pk")))


def _has_voted(user: AnyUser) -> Exists:
    return Exists(Vote.objects.filter(request=OuterRef("pk"), user_id=_id(user)))


def _may_decide(user: AnyUser) -> Q:
    is_barred = Q(is_requester_barred=True, requester_id=_id(user), requester_id__isnull=False)
    is_open = Q(status=RequestStatus.OPEN)
    return is_open & Q(_is_asked(user)) & ~is_barred & ~Q(_has_voted(user))
