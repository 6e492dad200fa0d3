"""Questions to people in the admin: what waits for an answer, and the form to give it."""

# ruff: noqa: ARG002 - Django decides what these methods are called with

from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from workflows import services
from workflows.admin.read_only import ReadOnlyAdmin, badge, link_to
from workflows.errors import CeleriacError, InputRefusedError, NotFoundError
from workflows.forms import SchemaForm, shown_answer
from workflows.models import Question
from workflows.selectors.questions import addressees_in_words, visible_question, visible_questions

LIST = "admin:workflows_question_changelist"


class OpenFilter(admin.SimpleListFilter):
    """What waits for an answer, unless everything is asked for."""

    title = "state"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All that you may see")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "Waiting for an answer"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Question]) -> QuerySet[Question]:
        return queryset if self.value() == "all" else queryset.filter(state="open")


@admin.register(Question)
class QuestionAdmin(ReadOnlyAdmin):
    """The questions that the person who looks may answer, and a page for each."""

    list_display = ("prompt", "state_badge", "run_link", "asked_of", "opened_at", "wake_at")
    list_filter = (OpenFilter,)
    search_fields = ("prompt",)
    ordering = ("opened_at", "id")
    fields = ("prompt",)
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        return visible_questions(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Question | None = None) -> bool:
        # Which of the questions is a matter of get_queryset.
        return bool(request.user.is_active and request.user.is_staff)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            question = visible_question(request.user, object_id)
        except NotFoundError as error:
            raise Http404(error.message) from None
        form = SchemaForm(question.data["form"], request.POST or None)
        if request.method == "POST" and form.is_valid():
            if self._answer(request, question, form):
                return redirect(LIST)
            question = visible_question(request.user, object_id)
        return self._draw(request, question, form)

    def _answer(self, request: HttpRequest, question: Question, form: SchemaForm) -> bool:
        key = request.POST.get("key", "")
        person: Any = request.user
        try:
            services.answer_question(question.pk, form.answer(), by=person, key=key)
        except InputRefusedError as error:
            form.add_problems(error.problems)
            return False
        except CeleriacError as error:
            self.message_user(request, error.message, messages.ERROR)
            return False
        self.message_user(request, "Your answer is recorded.", messages.SUCCESS)
        return True

    def _draw(self, request: HttpRequest, question: Question, form: SchemaForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Question",
            "question": question,
            "asked_of": addressees_in_words(question),
            "run_link": link_to(question.run, str(question.run)),
            "is_open": question.state == "open",
            "answer": _answer_to(question),
            "form": form,
            # The same page sent twice is one answer.
            "key": request.POST.get("key") or uuid4().hex,
            "opts": self.opts,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/workflows/question/page.html", context)

    @admin.display(description="state", ordering="state")
    def state_badge(self, question: Question) -> SafeString:
        return badge(question.state)

    @admin.display(description="run")
    def run_link(self, question: Question) -> SafeString | str:
        return link_to(question.run, f"{question.run.workflow_name} {str(question.run_id)[:8]}")

    @admin.display(description="asked of")
    def asked_of(self, question: Question) -> str:
        return addressees_in_words(question)


def _answer_to(question: Question) -> list[tuple[str, str]]:
    """Return the labels and values of the answer that was given; none for no answer."""
    if "answer" not in question.data:
        return []
    return shown_answer(question.data["form"], question.data["answer"])
