"""Tokens of programs: kept as hashes, expiring; whatever is no token is refused, never an error."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]  # untyped package
    """The header `Authorization: Token ...`."""

    def authenticate_credentials(self, token: bytes) -> Any:
        # Tokens are printable ASCII: anything else fails in decoding or in the database.
        if not (token.isascii() and token.decode("ascii").isprintable()):
            message = "Invalid token."
            raise AuthenticationFailed(message)
        return super().authenticate_credentials(token)


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # registers itself
    """How the OpenAPI document describes the tokens."""

    target_class = "workflows.api.authentication.TokenAuthentication"
    name = "token"
