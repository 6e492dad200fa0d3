#!/usr/bin/env python
"""Django's command line for Celeriac."""

import os
import sys

from django.core.management import execute_from_command_line

from project.startup import stop_when_misconfigured

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with stop_when_misconfigured():
        execute_from_command_line(sys.argv)
