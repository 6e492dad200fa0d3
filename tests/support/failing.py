"""Workflows of which parts fail."""

from typing import Any

from tests.support.builder import activity, each, edit, end, fan_in, fan_out, switch, workflow

REFUSED = {"code": "refused", "message": "never again"}


def refuse(id_: str, **fields: Any) -> dict[str, Any]:
    return activity(id_, "test.refuse", **fields)


def branches(*, tolerate: Any = None, on_error: str | None = None) -> dict[str, Any]:
    """Two branches that fail, and one that does not."""
    split = {**fan_out("f", a="a", b="b", c="c"), "tolerate": tolerate, "on_error": on_error}
    return workflow(
        "tolerant",
        {key: value for key, value in split.items() if value is not None or key == "next"},
        refuse("a", next="j"),
        edit("b", output=["b"], next="j"),
        refuse("c", next="j"),
        fan_in("j"),
        edit("after", after=True),
        end(),
        *([edit("mend", next="end", code="${error.code}", at="${error.node}")] if on_error else []),
    )


def map_of_numbers(**fields: Any) -> dict[str, Any]:
    """A map that fails for odd numbers."""
    return workflow(
        "tolerant",
        each("m", "look", next="end", **fields),
        switch("look", "keep", bad="item % 2 == 1"),
        refuse("bad", next=None),
        edit("keep", output="${item * 10}", next=None),
        end(),
    )
