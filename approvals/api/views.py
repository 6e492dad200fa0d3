"""Views that translate: they read the request, call one function, and write the answer."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import selectors, services
from approvals.api.serializers import (
    ApprovalDecisionSerializer,
    ApprovalFilterSerializer,
    ApprovalResultSerializer,
    ApprovalSerializer,
)
from approvals.models import ApprovalRequest
from workflows.api.base import ApiView
from workflows.api.idempotency import REPLAYED, key_of
from workflows.api.pagination import KeysetPagination
from workflows.api.reading import read_body, read_query

TAGS = ["approvals"]
_COLUMNS = {"status": "status", "workflow": "workflow_name", "run": "run_id"}


class LastOpenedFirst(KeysetPagination):
    """The last opened first."""

    ordering = ("-opened_at", "-id")


class ApprovalList(ApiView):
    """The approval requests that you may see."""

    serializer_class = ApprovalSerializer
    pagination_class = LastOpenedFirst
    queryset = ApprovalRequest.objects.none()

    @extend_schema(
        operation_id="approvals_list",
        tags=TAGS,
        parameters=[ApprovalFilterSerializer],
        responses=ApprovalSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the approval requests that you may see, the last opened first."""
        wanted = read_query(ApprovalFilterSerializer, request)
        find = selectors.inbox if wanted.pop("mine") else selectors.visible_requests
        chosen = {_COLUMNS[name]: value for name, value in wanted.items()}
        return self.listing(find(request.user).filter(**chosen))


class ApprovalDetail(ApiView):
    """One approval request."""

    serializer_class = ApprovalSerializer

    @extend_schema(operation_id="approvals_retrieve", tags=TAGS)
    def get(self, request: Request, request_id: UUID) -> Response:
        """Show one approval request: what is asked, of whom, and who answered what."""
        read_query(None, request)
        asked = selectors.visible_request(request.user, request_id)
        return Response(self.get_serializer(asked).data)


class ApprovalDecide(ApiView):
    """Your answer to one approval request."""

    serializer_class = ApprovalDecisionSerializer

    @extend_schema(
        operation_id="approvals_decide",
        tags=TAGS,
        request=ApprovalDecisionSerializer,
        responses={200: ApprovalResultSerializer},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        """Approve or reject; when that settles the request, its run goes on."""
        read_query(None, request)
        answer: dict[str, Any] = read_body(ApprovalDecisionSerializer, request.data)
        # Who may not see a request does not learn by deciding that it exists.
        asked = selectors.visible_request(request.user, request_id)
        # The vote keeps the key: a repeat waits for the first delivery and gets its answer.
        result = services.decide(asked.pk, user=request.user, key=key_of(request), **answer)
        headers = {REPLAYED: "true"} if result.is_repeat else {}
        return Response(result.as_dict(), headers=headers)
