"""Workflows and their versions."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.base import ApiView, person
from workflows.api.idempotency import idempotent
from workflows.api.pagination import ByName, HighestFirst
from workflows.api.parsers import JSONTextParser, YAMLTextParser
from workflows.api.reading import read_query
from workflows.api.serializers import (
    DocumentSerializer,
    PublishedSerializer,
    VersionSerializer,
    WorkflowSerializer,
)
from workflows.definition.model import WORKFLOW_NAME
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError, Problem
from workflows.models import Workflow, WorkflowVersion
from workflows.selectors import definitions
from workflows.services import publish

NAME = OpenApiParameter(
    "name",
    {"type": "string", "pattern": WORKFLOW_NAME, "maxLength": 200},
    OpenApiParameter.PATH,
    description="Name of the workflow, folders included: `finance/refund`.",
)


class WorkflowList(ApiView, ListAPIView[Workflow]):
    """Workflows, by name."""

    needs = {"GET": "view_workflow"}
    serializer_class = WorkflowSerializer
    pagination_class = ByName
    queryset = Workflow.objects.none()

    @extend_schema(operation_id="workflows_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Workflow]:
        read_query(None, self.request)
        return definitions.workflows()


class WorkflowDetail(ApiView, RetrieveAPIView[Workflow]):
    """One workflow."""

    needs = {"GET": "view_workflow"}
    serializer_class = WorkflowSerializer
    queryset = Workflow.objects.none()

    @extend_schema(operation_id="workflows_show", parameters=[NAME])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_object(self) -> Workflow:
        return definitions.workflow_by_name(self.kwargs["name"])


class VersionList(ApiView, ListAPIView[WorkflowVersion]):
    """Versions of a workflow, the newest first; a POST of a document publishes one."""

    needs = {"GET": "view_workflow", "POST": "publish_workflow"}
    serializer_class = VersionSerializer
    pagination_class = HighestFirst
    parser_classes = (YAMLTextParser, JSONTextParser)
    queryset = WorkflowVersion.objects.none()

    @extend_schema(operation_id="versions_list", parameters=[NAME])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[WorkflowVersion]:
        read_query(None, self.request)
        return definitions.versions_of(self.kwargs["name"])

    @extend_schema(
        operation_id="versions_publish",
        parameters=[NAME],
        request={"application/yaml": OpenApiTypes.STR, "application/json": OpenApiTypes.OBJECT},
        responses={201: PublishedSerializer, 200: PublishedSerializer},
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        """Publish a definition; the same content again answers with the version that it is."""
        text = str(request.data or "")  # the parsers give text; an empty body is none
        _refuse_other_name(text, name)
        published = publish(text, source=name, by=person(request))
        version = published.version
        body = {
            **VersionSerializer(version).data,
            "is_new": published.is_new,
            "warnings": [warning.as_dict() for warning in published.warnings],
        }
        headers = {"Location": _address(version), "ETag": _etag(version)}
        return Response(body, status=201 if published.is_new else 200, headers=headers)


class VersionDetail(ApiView, RetrieveAPIView[WorkflowVersion]):
    """One version with its document; it never changes, and its digest is its ETag."""

    needs = {"GET": "view_workflow"}
    serializer_class = DocumentSerializer
    queryset = WorkflowVersion.objects.none()

    @extend_schema(operation_id="versions_show", parameters=[NAME])
    def get(self, request: Request, name: str, number: int) -> HttpResponseBase:  # type: ignore[override]  # 304 is Django's
        version = definitions.version_by_number(name, number)
        response = Response(self.get_serializer(version).data, headers={"ETag": _etag(version)})
        unchanged = get_conditional_response(request._request, etag=_etag(version))  # noqa: SLF001 - Django's function wants Django's request
        return unchanged or response


def _refuse_other_name(text: str, name: str) -> None:
    """Refuse a document of another workflow; all else that is wrong is for the compiler."""
    document = read_document(text, source=name)
    own = document.value.get("workflow") if isinstance(document.value, dict) else None
    if isinstance(own, str) and own != name:
        line, column = document.locate("/workflow") or (None, None)
        message = f"The document is of workflow {own[:200]!r}, and this is the address of {name!r}."
        problem = Problem("other_workflow", message, "/workflow", line, column)
        raise DefinitionError(message, [problem])


def _address(version: WorkflowVersion) -> str:
    return reverse("version-detail", args=(version.workflow.name, version.number))


def _etag(version: WorkflowVersion) -> str:
    return f'"{version.digest}"'
