"""Writes docs/reference/contract.md, or compares it with `--check`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from tests.contract.page import PATH, page  # noqa: E402 - reads what the apps have registered

text = page()
if "--check" not in sys.argv:
    PATH.write_text(text, encoding="utf-8")
elif not PATH.exists() or PATH.read_text(encoding="utf-8") != text:
    sys.exit(f"Out of date: {PATH.name}. Run `make docs`.")
