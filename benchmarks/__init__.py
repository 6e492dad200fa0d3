"""Measurements on PostgreSQL and Redis, each beside a bare Celery peer in the same run."""
