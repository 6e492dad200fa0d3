"""Tokens for programs: taken with a password, expiring, kept as hashes."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from drf_spectacular.utils import extend_schema
from knox.models import get_token_model
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle
from rest_framework.views import APIView

from workflows.api.authentication import TokenAuthentication
from workflows.api.base import ApiView, person
from workflows.api.bodies import LoginSerializer
from workflows.api.reading import read_body
from workflows.api.serializers import TokenSerializer


class _Credentials(BasicAuthentication):
    """Only reads the header: whether the pair is right is asked once, after the throttles."""

    def authenticate_credentials(
        self,
        userid: str,
        password: str,
        request: Request | None = None,  # noqa: ARG002 - the framework's signature
    ) -> Any:
        return userid, password


class AddressThrottle(SimpleRateThrottle):
    """Logins from one address."""

    scope = "login_address"
    rate = "60/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:  # noqa: ARG002 - the framework's signature
        # X-Forwarded-For is believed only when the project says how many proxies it has.
        is_behind = api_settings.NUM_PROXIES is not None
        ident = self.get_ident(request) if is_behind else request.META.get("REMOTE_ADDR", "")
        return f"throttle_{self.scope}_{sha256(str(ident).encode()).hexdigest()}"


class NameThrottle(SimpleRateThrottle):
    """Logins under one name, from wherever."""

    scope = "login_name"
    rate = "10/min"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:  # noqa: ARG002 - the framework's signature
        name = _credentials(request)["username"].casefold()
        return f"throttle_{self.scope}_{sha256(name.encode()).hexdigest()}"


class Login(ApiView):
    """Take a token for a name and a password (as JSON, or as Basic authentication)."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes: Sequence[type[BaseThrottle]] = (AddressThrottle, NameThrottle)
    serializer_class = LoginSerializer
    keeps_answers = False  # a token is never written down in clear

    @extend_schema(
        operation_id="auth_login",
        request=LoginSerializer,
        responses={200: TokenSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        user = authenticate(request._request, **_credentials(request))  # noqa: SLF001 - Django's function wants Django's request
        if user is None:
            message = "No active user has this name and password."
            raise AuthenticationFailed(message)
        instance, token = get_token_model().objects.create(user=user)
        user_logged_in.send(sender=type(user), request=request, user=user)
        told = {"token": token, "expiry": instance.expiry}
        return Response(TokenSerializer(told).data, headers={"Cache-Control": "no-store"})

    def get_throttles(self) -> list[BaseThrottle]:
        # Only a POST is a try; OPTIONS has no name to count under.
        return super().get_throttles() if self.request.method == "POST" else []

    def get_authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - a view's signature
        return 'Basic realm="celeriac", charset="UTF-8"'


class Logout(ApiView):
    """Give the token back that the request carries."""

    authentication_classes = (TokenAuthentication,)
    keeps_answers = False  # the second delivery carries a token that is no more

    @extend_schema(operation_id="auth_logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        user = person(request)
        request.auth.delete()
        user_logged_out.send(sender=type(user), request=request, user=user)
        return Response(status=204)


def _credentials(request: Request) -> dict[str, Any]:
    """Return name and password, from the header if it has them. Raises InputRefusedError."""
    pair = _Credentials().authenticate(request)
    if pair is None:
        return read_body(LoginSerializer, request.data)
    return read_body(LoginSerializer, {"username": pair[0], "password": pair[1]})
