"""What all views share: who may, which formats, which pages."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workflows.api.authentication import TokenAuthentication
from workflows.api.pagination import NewestFirst
from workflows.api.parsers import StrictJSONParser
from workflows.api.problems import LengthRequiredError
from workflows.api.schema import ApiSchema
from workflows.errors import NotFoundError
from workflows.services import access


class HasPermission(BasePermission):
    """A person or program who is logged in and has what the view's `needs` names."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False  # answered with 401
        method = "GET" if request.method == "HEAD" else str(request.method)
        action = getattr(view, "needs", {}).get(method)
        if action is not None:
            access.require(request.user, action)
        return True


def person(request: Request) -> AbstractBaseUser:
    """Return who asks, at a view that has let them in."""
    return cast("AbstractBaseUser", request.user)


class ApiView(GenericAPIView[Any]):
    """Base of the API's views; `needs` says what each method takes."""

    needs: ClassVar[Mapping[str, access.Action]] = {}
    authentication_classes: tuple[type[BaseAuthentication], ...] = (
        TokenAuthentication,
        SessionAuthentication,
    )
    permission_classes: tuple[type[BasePermission], ...] = (HasPermission,)
    parser_classes: tuple[type[BaseParser], ...] = (StrictJSONParser,)
    renderer_classes: tuple[type[BaseRenderer], ...] = (JSONRenderer,)
    pagination_class: type[BasePagination] | None = NewestFirst
    filter_backends = ()
    schema = ApiSchema()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        in_chunks = "HTTP_TRANSFER_ENCODING" in request.META
        if in_chunks and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequiredError("Send the body with a Content-Length, not in chunks.")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - a view's signature
        return Response(status=204)  # the header Allow says it all

    def listing(self, rows: Any) -> Response:
        """Answer with one page of rows."""
        page: list[Model] = self.paginate_queryset(rows) or []
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class NoSuchAddress(ApiView):
    """Whatever else is asked for below /api/."""

    authentication_classes = ()
    permission_classes = ()
    schema = None  # type: ignore[assignment]  # the framework's way to leave a view out

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - a view's signature
        hint = "" if request.path.endswith("/") else " Addresses of the API end with a slash."
        message = f"There is nothing at this address.{hint} See /api/v1/docs/."
        raise NotFoundError(message)
