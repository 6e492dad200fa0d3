"""A page whose console and requests are watched."""

from playwright.sync_api import ConsoleMessage, Page, Request, Response


class Watched:
    """A page, what it complained of, and which foreign addresses it asked for."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)
        page.on("response", self._weigh)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _is_icon(message.location["url"]):
            self.complaints.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((f"{self.home}/", "data:")):
            self.strangers.append(request.url)

    def _weigh(self, response: Response) -> None:
        if response.status >= 400 and not _is_icon(response.url):
            self.complaints.append(f"{response.status} {response.url}")


def _is_icon(url: str) -> bool:
    """Tell whether the browser asked by itself, not the page."""
    return url.endswith("/favicon.ico")
