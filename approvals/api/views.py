"""Views that translate: they read the request, call one function, and write the answer."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import selectors, services
from approvals.api.serializers import (
    ApprovalSerializer,
    DecideSerializer,
    FilterSerializer,
    KeySerializer,
    ResultSerializer,
)
from approvals.models import ApprovalRequest

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Sent again with the same key, a decision gets its first answer once more.",
)


class NewestFirst(CursorPagination):
    """Pages that stay put while new requests come in."""

    ordering = ("-opened_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class ApprovalList(ListAPIView[ApprovalRequest]):
    """Approval requests that you may see, newest first."""

    permission_classes = (IsAuthenticated,)
    serializer_class = ApprovalSerializer
    pagination_class = NewestFirst
    filter_backends = ()
    queryset = ApprovalRequest.objects.none()

    @extend_schema(operation_id="approvals_list", parameters=[FilterSerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        wanted = FilterSerializer(data=self.request.query_params.dict())
        wanted.is_valid(raise_exception=True)
        names = {"status": "status", "workflow": "workflow_name", "run": "run_id"}
        chosen = {
            names[name]: value for name, value in wanted.validated_data.items() if name in names
        }
        user = self.request.user
        is_mine = wanted.validated_data["mine"]
        found = selectors.inbox(user) if is_mine else selectors.visible_requests(user)
        return found.filter(**chosen)


class ApprovalDetail(RetrieveAPIView[ApprovalRequest]):
    """One approval request."""

    permission_classes = (IsAuthenticated,)
    serializer_class = ApprovalSerializer
    queryset = ApprovalRequest.objects.none()

    def get_object(self) -> ApprovalRequest:
        return selectors.visible_request(self.request.user, self.kwargs["request_id"])


class ApprovalDecide(APIView):
    """Give your answer to one approval request."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="approvals_decide",
        parameters=[IDEMPOTENCY_KEY],
        request=DecideSerializer,
        responses=ResultSerializer,
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        body = DecideSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        header = KeySerializer(data={"key": request.headers.get("Idempotency-Key", "")})
        header.is_valid(raise_exception=True)
        # Who may not see a request does not learn by deciding that it exists.
        asked = selectors.visible_request(request.user, request_id)
        answer = {**body.validated_data, **header.validated_data}
        result = services.decide(asked.pk, user=request.user, **answer)
        return Response(result.as_dict())
