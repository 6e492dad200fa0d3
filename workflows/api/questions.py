"""Questions of runs: which wait for the person who asks, and their answers."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.base import ApiView, person
from workflows.api.bodies import as_lookups
from workflows.api.idempotency import HEADER, REPLAYED
from workflows.api.pagination import FirstOpened
from workflows.api.question_serializers import (
    AnsweredSerializer,
    QuestionAnswerSerializer,
    QuestionQuery,
    QuestionSerializer,
)
from workflows.api.reading import read_body, read_query
from workflows.errors import InputRefusedError, Problem
from workflows.models import Question
from workflows.selectors.questions import open_questions, visible_question
from workflows.services import answer_question

_LOOKUPS = {"run": "run_id", "workflow": "run__workflow_name"}


class QuestionList(ApiView):
    """The questions that you may answer now."""

    serializer_class = QuestionSerializer
    pagination_class = FirstOpened
    queryset = Question.objects.none()

    @extend_schema(
        operation_id="questions_list",
        parameters=[QuestionQuery],
        responses=QuestionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the questions that wait for an answer and that you may answer, the oldest first.

        Of a run and its children one is asked at a time; those that wait for their turn are not
        listed.
        """
        wanted = as_lookups(read_query(QuestionQuery, request), _LOOKUPS)
        return self.listing(open_questions(request.user).filter(**wanted))


class QuestionDetail(ApiView):
    """One question."""

    serializer_class = QuestionSerializer

    @extend_schema(operation_id="questions_show")
    def get(self, request: Request, question_id: UUID) -> Response:
        """Show one question: what is asked, the form of its answer, and what became of it."""
        read_query(None, request)
        question = visible_question(request.user, question_id)
        return Response(self.get_serializer(question).data)


class QuestionAnswer(ApiView):
    """Your answer to one question."""

    serializer_class = QuestionAnswerSerializer

    @extend_schema(
        operation_id="questions_answer",
        request=QuestionAnswerSerializer,
        responses={200: AnsweredSerializer},
    )
    def post(self, request: Request, question_id: UUID) -> Response:
        """Answer a question: its run goes on, and the next question of the run is asked."""
        read_query(None, request)
        body: dict[str, Any] = read_body(QuestionAnswerSerializer, request.data)
        # Who may not see a question does not learn by answering that it exists.
        question = visible_question(request.user, question_id)
        # The question keeps the key: a repeat waits for the first delivery and gets its answer.
        key = request.headers.get(HEADER)
        try:
            told = answer_question(question.pk, body["data"], by=person(request), key=key)
        except InputRefusedError as error:
            raise InputRefusedError(error.message, list(map(_in_body, error.problems))) from None
        headers = {REPLAYED: "true"} if told.is_repeat else {}
        return Response(told.as_dict(), headers=headers)


def _in_body(problem: Problem) -> Problem:
    """Lead from the body, not from the answer, to what does not fit the question's form."""
    is_of_form = problem.code.startswith("schema_")
    return replace(problem, pointer=f"/data{problem.pointer}") if is_of_form else problem
