"""The Django project around the engine: settings, Celery app, URLs, what starts the processes."""
