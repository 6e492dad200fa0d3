"""Writes docs/reference/contract.md, or compares it with `--check`."""

import sys

from tests.contract.page import PATH, page

text = page()
if "--check" not in sys.argv:
    PATH.write_text(text, encoding="utf-8")
elif not PATH.exists() or PATH.read_text(encoding="utf-8") != text:
    sys.exit(f"Out of date: {PATH.name}. Run `make docs`.")
