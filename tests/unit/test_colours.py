"""What is written on coloured grounds can be read: a contrast of 4.5, in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEETS = {
    "workflows/static/workflows/admin.css": [
        ("wf-good", "wf-good-soft"), ("wf-bad", "wf-bad-soft"), ("wf-wait", "wf-wait-soft"),
        ("wf-move", "wf-move-soft"), ("wf-none", "wf-none-soft"), ("wf-bad", "wf-card"),
    ],
    "approvals/static/approvals/approvals.css": [
        ("good", "good-soft"), ("bad", "bad-soft"), ("wait", "wait-soft"), ("soft", "card"),
        ("soft", "ground"), ("accent", "ground"), ("bad", "card"), ("ink", "ground"),
    ],
}  # fmt: skip


def themes(sheet: str) -> list[dict[str, str]]:
    """Return the colours of each block that sets some: light first, then dark."""
    blocks = re.findall(r"{([^{}]*--[^{}]*)}", (ROOT / sheet).read_text())
    found = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in blocks]
    return [each for each in found if each]


def brightness(colour: str) -> float:
    text = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(text[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("sheet", SHEETS)
def test_words_stand_out_from_their_ground(sheet: str) -> None:
    found = themes(sheet)
    assert len(found) >= 2
    weak = []
    for theme, (ink, ground) in product(found, SHEETS[sheet]):
        low, high = sorted(brightness(theme[name]) for name in (ink, ground))
        if (high + 0.05) / (low + 0.05) < 4.5:
            weak.append((ink, ground, theme[ink], round((high + 0.05) / (low + 0.05), 2)))
    assert weak == []
