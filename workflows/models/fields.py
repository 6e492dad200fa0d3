"""JSON as it was written: order of keys and form of numbers alike on every database."""

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute
from psycopg.types.json import Json

from workflows import contents


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


class _Kept(DeferredAttribute):
    """A context that is read from where it is kept when somebody asks for it."""

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, contents.Reference):
            value = contents.value_of(value)
            self.__set__(instance, value)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class ContextField(PlainJSONField):
    """A JSON value that is kept outside of the row when it is large.

    Instances show the value itself; `values()` show a `Reference` for what is kept outside.
    """

    descriptor_class = _Kept

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return super().get_db_prep_value(value, connection, prepared)
        text = contents.as_text(contents.value_of(value))
        return (
            Json(value, dumps=lambda _: text or "") if connection.vendor == "postgresql" else text
        )

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return contents.read(super().from_db_value(value, expression, connection))


class DigestIn(models.Func):
    """The digest in the text of a reference: NULL for any other JSON, by its first characters."""

    _BEGIN = json.dumps({contents.KEY: ""})[:-2]
    template = (
        f"CASE WHEN substr(CAST(%(expressions)s AS text), 1, {len(_BEGIN)}) = '{_BEGIN}' "
        f"THEN substr(CAST(%(expressions)s AS text), {len(_BEGIN) + 1}, 64) END"
    )


def digest_of(column: str) -> "models.GeneratedField":
    """Return a field with the digest of what is kept outside of a column: what refers to what.

    It stays NULL while contexts are small: unlike an index on the column itself, one on this field
    leaves the updates of threads as cheap as they are (HOT).
    """
    return models.GeneratedField(
        expression=DigestIn(column),
        output_field=models.CharField(max_length=64, null=True),
        db_persist=True,
    )
