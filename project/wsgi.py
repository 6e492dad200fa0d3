"""The WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from project.startup import stop_when_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
with stop_when_misconfigured():
    application = get_wsgi_application()
