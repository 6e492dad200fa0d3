"""What can be told of a URL before its templates are filled in."""

import re
from typing import Any, Final

_SCHEMES: Final = ("http://", "https://")
_WITH_HOST = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)


def url_problems(url: Any, pointer: str) -> list[tuple[str, str]]:
    """Return what is wrong with a URL, whatever its templates become."""
    if not isinstance(url, str) or not url.strip():
        return [(pointer, "The URL must be text.")]
    written, template, _ = url.partition("${")
    if template and any(each.startswith(written.lower()) for each in _SCHEMES):
        return []  # the beginning, or the host, comes from the context
    if not _WITH_HOST.match(written):
        return [(pointer, "A URL begins with http:// or https:// and a host.")]
    return []
