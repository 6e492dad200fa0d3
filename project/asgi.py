"""The ASGI application, for servers that speak it."""

import os

from django.core.asgi import get_asgi_application

from project.startup import stop_when_misconfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
with stop_when_misconfigured():
    application = get_asgi_application()
