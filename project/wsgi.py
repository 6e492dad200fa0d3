"""The WSGI application, for gunicorn."""

import os

import django

from project.startup import stop_when_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
with stop_when_misconfigured():
    django.setup(set_prefix=False)
    from project.requests import Utf8WSGIHandler  # its models can be loaded only now

    application = Utf8WSGIHandler()
