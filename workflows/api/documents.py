"""The OpenAPI document and its page: people without a login are led to one, programs refused."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.views import APIView


class _ForBrowsersToo(APIView):
    """Leads a browser that is not logged in to `LOGIN_URL`, and back from there."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - a view's signature
        # The header Allow says it all; the page's template has nothing to show for it.
        return HttpResponse(status=204)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated) and self._is_browser():
            answer: HttpResponseBase = redirect_to_login(
                self.request.get_full_path(), settings.LOGIN_URL
            )
            return answer
        return super().handle_exception(exc)

    def _is_browser(self) -> bool:
        # Named, not matched: programs that take anything (*/*) want the problem document.
        return "text/html" in self.request.headers.get("Accept", "").lower()


class Schema(_ForBrowsersToo, SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON."""


class Docs(_ForBrowsersToo, SpectacularSwaggerView):
    """A page to read the document, and to try it."""
