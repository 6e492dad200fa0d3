"""Empties the database after a test that commits, without making what never changes anew.

Django's flush truncates every table and writes content types and permissions again: a tenth of a
second for each of thousands of tests, most of which have filled five tables.
"""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

#: Written by the migrations; no test changes them.
_KEPT = {ContentType._meta.db_table, Permission._meta.db_table, "django_migrations"}


def install() -> None:
    """Let every test that commits be followed by this instead of Django's flush."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_case: TransactionTestCase) -> None:
    tables = sorted(set(connection.introspection.table_names()) - _KEPT)
    names = [(table, connection.ops.quote_name(table)) for table in tables]
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted})"  # noqa: S608 - our own tables
        for table, quoted in names
    )
    with connection.cursor() as cursor:
        cursor.execute(filled)
        found = [table for (table,) in cursor.fetchall()]
    # Foreign keys are looked at when the transaction ends: the order does not matter.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in found:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608
