"""Questions that runs ask people: which somebody may see, and who may answer one."""

from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, PermissionsMixin
from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows.errors import NotFoundError
from workflows.models import Question, QuestionAddressee, Suspension

#: Anybody who may be logged in.
AnyUser = AbstractBaseUser | AnonymousUser

ANSWER = "workflows.answer_question"


def visible_questions(user: AnyUser) -> QuerySet[Question]:
    """Return the questions that `user` may answer or could have answered, the oldest first.

    A question that waits for its turn is not among them: nobody hears of it before.
    """
    asked = Question.objects.filter(is_asked=True, kind="person").exclude(prompt="")
    asked = asked.select_related("run").prefetch_related("addressees")
    return _of(user, asked).order_by("opened_at", "id")


def open_questions(user: AnyUser) -> QuerySet[Question]:
    """Return the questions that wait for an answer and that `user` may answer."""
    return visible_questions(user).filter(state="open")


def unanswerable_questions() -> list[Question]:
    """Return the questions asked now of groups without members and of people who are not there."""
    people = get_user_model()._default_manager.filter(is_active=True)  # noqa: SLF001 - Django's name
    members = people.filter(groups__name=OuterRef("name"))
    named = people.filter(**{people.model.USERNAME_FIELD: OuterRef("name")})
    addressed = QuestionAddressee.objects.filter(suspension=OuterRef("pk"))
    reachable = addressed.filter(
        Q(Exists(members), is_group=True) | Q(Exists(named), is_group=False)
    )
    asked = Question.objects.filter(is_asked=True, kind="person", state="open").exclude(prompt="")
    found = asked.filter(Exists(addressed), ~Exists(reachable)).select_related("run")
    return list(found.prefetch_related("addressees").order_by("opened_at", "id"))


def visible_question(user: AnyUser, question_id: UUID | str) -> Question:
    """Return one question that `user` may see. Raises NotFoundError."""
    found = visible_questions(user).filter(pk=as_id(question_id)).first()
    if found is None:
        raise NotFoundError(f"There is no question {str(question_id)[:80]}, or you may not see it.")
    return found


def may_answer(user: AnyUser, question: Suspension) -> bool:
    """Tell whether `user` may answer, as things are now."""
    return _of(user, Question.objects.filter(pk=question.pk)).exists()


def addressees_in_words(question: Suspension) -> str:
    """Return whom a question is for: 'members of legal; lena', or who has started the run."""
    rows = question.addressees.all()
    groups = sorted(row.name for row in rows if row.is_group)
    users = sorted(row.name for row in rows if not row.is_group)
    parts = [f"members of {', '.join(groups)}"] if groups else []
    parts += [", ".join(users)] if users else []
    if parts:
        return "; ".join(parts)
    starter = question.run.started_by
    return starter.get_username() if starter else f"whoever has the permission {ANSWER}"


def _of(user: AnyUser, questions: QuerySet[Question]) -> QuerySet[Question]:
    if not user.is_active:  # nobody is logged in, or the account was closed
        return questions.none()
    # Every user model of a project with groups has this; the plain base class does not.
    if isinstance(user, PermissionsMixin) and user.has_perm(ANSWER):
        return questions
    named = QuestionAddressee.objects.filter(suspension=OuterRef("pk"))
    groups = Group.objects.filter(user=user.pk).values("name")
    is_member = Q(is_group=True, name__in=groups)
    is_named = Q(is_group=False, name=user.get_username())
    started = Q(~Exists(named), run__started_by=user.pk)
    return questions.filter(Q(Exists(named.filter(is_member | is_named))) | started)


def as_id(text: UUID | str) -> UUID:
    """Return the id of a question. Raises NotFoundError for text that is none."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFoundError(f"{str(text)[:80]!r} is not the id of a question.") from None
