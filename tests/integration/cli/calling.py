"""Calls a verb as a person types it, and keeps what it says."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Said:
    """What a verb wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)


def call(*words: str) -> Said:
    """Call `manage.py workflow` with these words."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("workflow", *words, stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def called_badly(*words: str) -> str:
    """Call a verb with arguments that the parser refuses; return what it says."""
    with pytest.raises(CommandError) as caught:
        call_command("workflow", *words)
    return str(caught.value)
