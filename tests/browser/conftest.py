"""A headless Chromium that belongs to the machine, and people who are logged in."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.watching import Watched

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

Visit = Callable[[User], Watched]
Snap = Callable[[Watched, str], None]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine: none of {', '.join(_NAMES)} is on PATH")
    return found


@pytest.fixture
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    # The browser's own event loop runs in this thread, where Django then expects no queries.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield started
        started.close()
        # Beside a running loop Django keeps other connections than without: they end here.
        connections.close_all()


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Open a page as somebody; at the end, no page may have complained or gone elsewhere."""
    opened: list[Watched] = []

    def log_in(user: User) -> Watched:
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1360, "height": 900}
        )
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}]
        )
        opened.append(Watched(context.new_page(), live_server.url))
        return opened[-1]

    yield log_in
    for each in opened:
        assert each.complaints == []
        assert each.strangers == []
        each.page.context.close()


@pytest.fixture
def snap() -> Snap:
    """Keep a picture for the documentation when CELERIAC_SCREENSHOTS is set."""

    def take(watched: Watched, name: str) -> None:
        if os.environ.get("CELERIAC_SCREENSHOTS"):
            _PICTURES.mkdir(parents=True, exist_ok=True)
            watched.page.screenshot(path=_PICTURES / f"{name}.png", full_page=True)

    return take
