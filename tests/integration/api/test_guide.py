"""The guide tells of every address, permission and code that there is."""

import re
from pathlib import Path

from django.urls import URLPattern

from approvals.api.urls import urlpatterns as approval_patterns
from workflows.api.problems import TITLES
from workflows.api.urls import urlpatterns
from workflows.services.access import PERMISSIONS

GUIDE = (Path(__file__).resolve().parents[3] / "docs/guides/rest-api.md").read_text()


def test_every_address_is_in_the_guide() -> None:
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        named = re.sub(r"<\w+:(?:run_|question_)?(\w+)>", r"{\1}", str(pattern.pattern))
        assert f"/{named}" in GUIDE


def test_every_code_and_permission_is_in_the_guide() -> None:
    for word in (*TITLES, *PERMISSIONS.values()):
        assert f"`{word}`" in GUIDE, word


def test_every_address_of_the_approvals_is_in_the_guide() -> None:
    for pattern in approval_patterns:
        named = re.sub(r"<uuid:request_id>", "{id}", str(pattern.pattern))
        assert f"`GET /approvals/{named}`" in GUIDE or f"/approvals/$ID/{named[5:]}" in GUIDE
