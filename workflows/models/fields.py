"""JSON as it was written: order of keys and form of numbers alike on every database."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.json import Json


class PlainJSONField(models.JSONField[Any, Any]):
    """A JSON value kept as text.

    PostgreSQL's `jsonb`, which Django uses, sorts keys and turns 1e16 into an integer, so a
    workflow would see other values there than on SQLite; nothing here searches inside of values.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor == "postgresql":
            return "json"
        return super().db_type(connection)

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        if value is None or connection.vendor != "postgresql":
            return super().get_db_prep_value(value, connection, prepared)
        return value if hasattr(value, "as_sql") else Json(value)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        if connection.vendor == "postgresql":
            return value  # the driver has parsed it
        return super().from_db_value(value, expression, connection)
