"""Runs: start, list, show, follow, cancel."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.base import ApiView, person
from workflows.api.bodies import (
    CancelSerializer,
    ChangeGroupSerializer,
    RunQuery,
    StartSerializer,
    as_lookups,
)
from workflows.api.idempotency import idempotent, once
from workflows.api.pagination import NewestFirst, OldestFirst
from workflows.api.reading import read_body, read_query
from workflows.api.serializers import (
    HistorySerializer,
    RunDetailSerializer,
    RunSerializer,
    StartedSerializer,
)
from workflows.errors import InputRefusedError, Problem
from workflows.models import NodeExecution, Run
from workflows.selectors.runs import history_of, run_by_id, runs
from workflows.services import cancel, change_group, start
from workflows.services.waiting import wait_for
from workflows.states import RUN_FINAL

LONGEST_WAIT = 30
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=f"`wait=10`: answer when the run is over, or after 10 s; at most {LONGEST_WAIT}.",
)
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)
_LOOKUPS = {
    "status": "status",
    "workflow": "workflow_name",
    "key": "key",
    "parent": "parent_id",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}


class RunList(ApiView, ListAPIView[Run]):
    """Runs, the newest first; a POST starts one."""

    needs = {"GET": "view_run", "POST": "start_run"}
    serializer_class = RunSerializer
    pagination_class = NewestFirst
    queryset = Run.objects.none()

    @extend_schema(operation_id="runs_list", parameters=[RunQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Run]:
        return runs(**as_lookups(read_query(RunQuery, self.request), _LOOKUPS))

    @extend_schema(
        operation_id="runs_start",
        parameters=[PREFER],
        request=StartSerializer,
        responses={202: StartedSerializer, 200: StartedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start a run: 202 and its address; 200 when it is over, or `key` has started it before."""
        answer = once(request, lambda: _start(request))
        seconds = _preferred_wait(request)
        if seconds is None:
            return answer
        # After the commit: inside of a transaction the run would never move.
        run = wait_for(answer.data["id"], seconds)
        status = 200 if run.status in RUN_FINAL else answer.status_code
        headers = {**answer.headers, "Preference-Applied": f"wait={seconds}"}
        body = _started(run, is_new=answer.data["is_new"])
        return Response(body, status=status, headers=headers)


class RunDetail(ApiView, RetrieveAPIView[Run]):
    """One run: where it is, what it waits for, how far its groups are."""

    needs = {"GET": "view_run"}
    serializer_class = RunDetailSerializer
    queryset = Run.objects.none()

    @extend_schema(operation_id="runs_show")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_object(self) -> Run:
        return run_by_id(self.kwargs["run_id"])


class RunHistory(ApiView, ListAPIView[NodeExecution]):
    """Every attempt of every node of a run, in order."""

    needs = {"GET": "view_run"}
    serializer_class = HistorySerializer
    pagination_class = OldestFirst
    queryset = NodeExecution.objects.none()

    @extend_schema(operation_id="runs_history")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[NodeExecution]:
        read_query(None, self.request)
        return history_of(run_by_id(self.kwargs["run_id"]))


class RunCancel(ApiView):
    """Cancel a run."""

    needs = {"POST": "cancel_run"}
    serializer_class = CancelSerializer
    queryset = Run.objects.none()

    @extend_schema(
        operation_id="runs_cancel", request=CancelSerializer, responses={200: RunDetailSerializer}
    )
    @idempotent
    def post(self, request: Request, run_id: UUID) -> Response:
        """Stop every thread and close every wait; a run that is over is a conflict.

        With `compensate` the run stays `running` until its steps are undone.
        """
        body = read_body(CancelSerializer, request.data)
        run = cancel(run_id, **body, by=person(request))
        return Response(RunDetailSerializer(run).data)


class RunChangeGroup(ApiView):
    """Change how many parts of a split live at once, or may fail, while it is under way."""

    needs = {"POST": "change_group"}
    serializer_class = ChangeGroupSerializer
    queryset = Run.objects.none()

    @extend_schema(
        operation_id="runs_change_group",
        request=ChangeGroupSerializer,
        responses={200: RunDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, run_id: UUID) -> Response:
        """Change the open groups of a node; one that is over is a conflict."""
        body = read_body(ChangeGroupSerializer, request.data)
        run = change_group(run_id, body.pop("node"), **body)
        return Response(RunDetailSerializer(run).data)


def _start(request: Request) -> Response:
    body = read_body(StartSerializer, request.data)
    options = {name: body.get(name) for name in ("key", "version")}
    try:
        started = start(body["workflow"], body.get("input"), **options, by=person(request))
    except InputRefusedError as error:
        raise InputRefusedError(error.message, list(map(_in_body, error.problems))) from None
    headers = {"Location": reverse("run-detail", args=(started.run.pk,))}
    status = 202 if started.is_new else 200
    return Response(_started(started.run, is_new=started.is_new), status=status, headers=headers)


def _in_body(problem: Problem) -> Problem:
    """Lead from the body, not from the input, to what does not fit the workflow's schema."""
    is_of_input = problem.code.startswith("schema_")
    return replace(problem, pointer=f"/input{problem.pointer}") if is_of_input else problem


def _started(run: Run, *, is_new: bool) -> dict[str, Any]:
    return {**RunDetailSerializer(run).data, "is_new": is_new}


def _preferred_wait(request: Request) -> int | None:
    """Return the seconds of `Prefer: wait=N`, cut to the longest; what is malformed is ignored."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_WAIT) if found else None
