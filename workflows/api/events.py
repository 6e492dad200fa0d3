"""Events: send them, and see what became of them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.base import ApiView
from workflows.api.bodies import (
    CloudEventSerializer,
    EventQuery,
    ShortEventSerializer,
    as_lookups,
)
from workflows.api.envelopes import (
    Sending,
    read_batch,
    read_binary,
    read_cloud_event,
    read_short,
)
from workflows.api.idempotency import idempotent
from workflows.api.pagination import LastReceivedFirst
from workflows.api.parsers import CloudEventBatchParser, CloudEventParser, StrictJSONParser
from workflows.api.reading import read_query
from workflows.api.serializers import EventSerializer, ReceiptSerializer
from workflows.models import Event
from workflows.selectors.events import events
from workflows.services import send_event

_LOOKUPS = {
    "type": "type",
    "key": "key",
    "source": "source",
    "received_after": "received_at__gte",
    "received_before": "received_at__lt",
}
#: Of one event, or of each event of a batch.
RECEIPTS = PolymorphicProxySerializer(
    component_name="Receipts",
    serializers=[ReceiptSerializer, ReceiptSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)


class EventList(ApiView, ListAPIView[Event]):
    """Events, the last received first; a POST sends one, or a batch."""

    needs = {"GET": "view_event", "POST": "send_event"}
    serializer_class = EventSerializer
    pagination_class = LastReceivedFirst
    parser_classes = (StrictJSONParser, CloudEventParser, CloudEventBatchParser)
    queryset = Event.objects.none()

    @extend_schema(operation_id="events_list", parameters=[EventQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Event]:
        return events(**as_lookups(read_query(EventQuery, self.request), _LOOKUPS))

    @extend_schema(
        operation_id="events_send",
        request={
            "application/json": ShortEventSerializer,
            CloudEventParser.media_type: CloudEventSerializer,
            CloudEventBatchParser.media_type: CloudEventSerializer(many=True),
        },
        responses={202: RECEIPTS},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep an event and give it to the wait that it matches; a repeat changes nothing.

        CloudEvents come structured, in batches, or binary (`ce-` headers). A batch is answered
        with a list.
        """
        media_type = request.content_type.partition(";")[0].strip().lower()
        if media_type == CloudEventBatchParser.media_type:
            # All are read before the first is sent: a batch is refused as a whole.
            return Response([_send(one) for one in read_batch(request.data)], status=202)
        return Response(_send(_read_one(request, media_type)), status=202)


def _read_one(request: Request, media_type: str) -> Sending:
    if media_type == CloudEventParser.media_type:
        return read_cloud_event(request.data)
    if "Ce-Specversion" in request.headers:
        return read_binary(request.headers, request.data)
    return read_short(request.data)


def _send(sending: Sending) -> dict[str, Any]:
    receipt = send_event(**sending)
    event = receipt.event
    told = {
        "id": event.external_id,
        "source": event.source,
        "type": event.type,
        "key": event.key,
        "is_new": receipt.is_new,
        "woke": receipt.woke,
        "received_at": event.received_at,
        "expires_at": event.expires_at,
    }
    return ReceiptSerializer(told).data
