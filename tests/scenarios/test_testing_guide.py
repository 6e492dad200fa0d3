"""The test module in the guide to testing, run as it stands there."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "testing.md"
(MODULE,) = (
    block
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    if "def test_" in block
)
exec(compile(MODULE, str(PAGE), "exec"))  # noqa: S102 - its tests and fixtures are this module's

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
