"""People who may do one thing each, and an engine in process."""

from collections.abc import Iterator
from itertools import count

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.integration.api.asking import ClientOf
from workflows.services.access import PERMISSIONS


@pytest.fixture(autouse=True)
def _no_memory_of_earlier_logins() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client_of(db: None) -> ClientOf:
    """Log somebody in who has the permissions for these actions."""
    numbers = count(1)

    def log_in(*actions: str) -> APIClient:
        user = User.objects.create(username=f"user{next(numbers)}")
        names = [PERMISSIONS[action].partition(".")[2] for action in actions]  # type: ignore[index]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        client = APIClient()
        client.force_authenticate(User.objects.get(pk=user.pk))
        return client

    return log_in


@pytest.fixture
def anybody(client_of: ClientOf) -> APIClient:
    """Somebody who may do everything."""
    return client_of(*PERMISSIONS)
