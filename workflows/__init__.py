"""Celeriac: durable workflows for teams that already run Django and Celery."""
