"""One answer to many requests: a page that asks for comment and form, then a result a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from approvals import services
from approvals.forms import AnswerForm
from approvals.models import ApprovalRequest, Choice
from workflows.context.values import digest
from workflows.errors import CeleriacError, InputRefusedError

Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Batch:
    """The chosen requests that ask for the same form, and that form."""

    rows: Sequence[ApprovalRequest]
    form: AnswerForm


def answer_many(
    http: HttpRequest,
    rows: Sequence[ApprovalRequest],
    *,
    decision: Choice,
    tell: Tell,
    site: Mapping[str, Any],
) -> HttpResponse | None:
    """Show the page with comment and forms; when it comes back filled in, decide row by row.

    Each row is decided or refused on its own, and `tell` is called once for each.
    """
    is_answered = "confirm" in http.POST
    batches = _batches(rows, http.POST if is_answered else None, decision=decision)
    # Every form is looked at before anything is decided.
    checked = [batch.form.is_valid() for batch in batches]
    if not is_answered or not all(checked):
        return _draw(http, batches, decision=decision, site=site)
    for batch in batches:
        for asked in batch.rows:
            _answer_one(http, asked, batch.form, decision=decision, tell=tell)
    return None


def _batches(rows: Sequence[ApprovalRequest], data: Any, *, decision: Choice) -> list[Batch]:
    by_form: dict[str, list[ApprovalRequest]] = {}
    for asked in rows:
        by_form.setdefault(digest(asked.form)[:12], []).append(asked)
    is_rejection = decision == Choice.REJECT
    return [
        Batch(same, AnswerForm(same[0].form, data, prefix=name, is_rejection=is_rejection))
        for name, same in by_form.items()
    ]


def _answer_one(
    http: HttpRequest, asked: ApprovalRequest, form: AnswerForm, *, decision: Choice, tell: Tell
) -> None:
    try:
        services.decide(
            asked.pk,
            user=http.user,
            decision=decision.value,
            comment=form.comment_text,
            form=form.answer(),
        )
    except InputRefusedError as error:
        faults = "; ".join(problem.message for problem in error.problems)
        tell(f"“{asked.title}” was not decided: {faults}", messages.ERROR)
    except CeleriacError as error:
        tell(f"“{asked.title}” was not decided: {error.message}", messages.ERROR)
    else:
        tell(f"“{asked.title}”: your answer ({decision.value}) is recorded.", messages.SUCCESS)


def _draw(
    http: HttpRequest, batches: Sequence[Batch], *, decision: Choice, site: Mapping[str, Any]
) -> HttpResponse:
    context = {
        **site,
        "title": f"{decision.label} the selected requests",
        "decision": decision,
        "batches": batches,
        "action": http.POST.get("action", ""),
        "box": ACTION_CHECKBOX_NAME,
        "opts": ApprovalRequest._meta,  # noqa: SLF001 - the admin's templates want it
    }
    return TemplateResponse(http, "admin/approvals/answer_many.html", context)
