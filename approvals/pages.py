"""Pages on which people see what waits for them, and decide. Reading them changes nothing."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import ListView

from approvals import selectors, services
from approvals.forms import AnswerForm
from approvals.models import ApprovalRequest, RequestStatus
from approvals.policy import describe, votes_needed, why_not
from approvals.presenting import present
from workflows.clock import now
from workflows.errors import CeleriacError, InputRefusedError, NotFoundError
from workflows.forms import labels_of
from workflows.selectors.questions import open_questions

_LOGIN = reverse_lazy("approvals:login")


@method_decorator(never_cache, "dispatch")
class InboxPage(LoginRequiredMixin, ListView):  # type: ignore[type-arg]
    """What waits for the person, or with `?show=all` everything that they may see."""

    login_url = _LOGIN
    template_name = "approvals/inbox.html"
    context_object_name = "asked"
    paginate_by = 50

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        user = self.request.user
        found = selectors.visible_requests(user) if self._shows_all else selectors.inbox(user)
        return found.order_by("-opened_at", "-id")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = selectors.inbox(self.request.user).count()
        questions = open_questions(self.request.user).count()
        extra: dict[str, Any] = {"shows_all": self._shows_all, "waiting": waiting, "now": now()}
        return super().get_context_data(**kwargs, **extra, questions=questions)

    @property
    def _shows_all(self) -> bool:
        return self.request.GET.get("show") == "all"


@method_decorator(never_cache, "dispatch")
class RequestPage(LoginRequiredMixin, View):
    """One request: what is asked, who asks, and the form to answer it."""

    login_url = _LOGIN

    def get(self, http: HttpRequest, request_id: UUID) -> HttpResponse:
        asked = _find(http, request_id)
        return _draw(http, asked, AnswerForm(asked.form))

    def post(self, http: HttpRequest, request_id: UUID) -> HttpResponse:
        asked = _find(http, request_id)
        decision = http.POST.get("decision", "")
        form = AnswerForm(asked.form, http.POST, is_rejection=decision == "reject")
        if not form.is_valid():
            return _draw(http, asked, form, status=422)
        try:
            _decide(http, asked, form, decision=decision)
        except InputRefusedError as error:
            form.add_problems(error.problems)
            return _draw(http, asked, form, status=error.status)
        except CeleriacError as error:
            # The page as it is now says who was first; the message says why this came too late.
            messages.error(http, error.message)
            return _draw(http, _find(http, request_id), form, status=error.status)
        messages.success(http, "Your decision is recorded.")
        return redirect("approvals:request", request_id=asked.pk)


def _decide(http: HttpRequest, asked: ApprovalRequest, form: AnswerForm, *, decision: str) -> None:
    services.decide(
        asked.pk,
        user=http.user,
        decision=decision,
        comment=form.comment_text,
        form=form.answer(),
        key=http.POST.get("key", ""),
    )


def _find(http: HttpRequest, request_id: UUID) -> ApprovalRequest:
    try:
        return selectors.visible_request(http.user, request_id)
    except NotFoundError as error:
        raise Http404(error.message) from None


def _draw(
    http: HttpRequest, asked: ApprovalRequest, form: AnswerForm, *, status: int = 200
) -> HttpResponse:
    rules = selectors.rules_of(asked)
    refusal = why_not(selectors.person_now(http.user), rules)
    votes, labels = list(asked.votes.all()), labels_of(asked.form)
    context = {
        "asked": asked,
        "addressees": describe(rules),
        "shown": present(asked.shown) if asked.shown else None,
        "votes": [(vote, present(vote.form, labels) if vote.form else None) for vote in votes],
        "progress": _progress(asked, votes),
        "is_open": asked.status == RequestStatus.OPEN,
        "has_voted": any(vote.user_id == http.user.pk for vote in votes),
        "refusal": refusal.message if refusal else "",
        "form": form,
        # The same page sent twice is one answer.
        "key": http.POST.get("key") or uuid4().hex,
        "now": now(),
    }
    return render(http, "approvals/request.html", context, status=status)


def _progress(asked: ApprovalRequest, votes: list[Any]) -> str:
    """Return '1 of 2 approvals' for an open request that needs more than one."""
    if asked.status != RequestStatus.OPEN or asked.need == "1":
        return ""
    tally = selectors.tally(asked, votes)
    return f"{tally.approvals} of {votes_needed(asked.need, tally.people)} approvals"
