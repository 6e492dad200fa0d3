"""Prints a report as tables, for people."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from examples.dependency_review.report import Report

FACTS = ("environment", "packages", "files", "bytes", "native")


def show_report(console: Console, report: Report) -> None:
    """Print what was found and what was decided."""
    console.print(
        Group(
            _facts(report),
            _licences(report),
            _licence_flags(report),
            _integrity_flags(report),
            _unreadable(report),
            _decisions(report),
            _verdict(report),
        )
    )


def _facts(report: Report) -> Table:
    numbers: dict[str, Any] = {name: report[name] for name in FACTS}  # type: ignore[literal-required] # names of its own
    rows = ((name, _written(value)) for name, value in numbers.items())
    return _table("Dependency review", ("", ""), rows)


def _licences(report: Report) -> Table:
    counted = sorted(report["licences"].items(), key=lambda item: (-item[1], item[0]))
    return _table("Licences", ("text", "packages"), ((text, str(n)) for text, n in counted))


def _licence_flags(report: Report) -> Table:
    flags = report["flagged"]["licence"]
    rows = ((flag["name"], flag["version"], flag["licence"], flag["reason"]) for flag in flags)
    return _table("Flagged: licence", ("name", "version", "licence", "reason"), rows)


def _integrity_flags(report: Report) -> Table:
    columns = ("name", "version", "missing", "mismatched", "record")
    rows = (
        (
            flag["name"],
            flag["version"],
            "\n".join(flag["missing"]),
            "\n".join(flag["mismatched"]),
            "yes" if flag["record"] else "no",
        )
        for flag in report["flagged"]["integrity"]
    )
    return _table("Flagged: integrity", columns, rows)


def _unreadable(report: Report) -> Table:
    rows = ((each["folder"], each["reason"]) for each in report["unreadable"])
    return _table("Unreadable", ("folder", "reason"), rows)


def _decisions(report: Report) -> Table:
    columns = ("group", "about", "decision", "packages", "by")
    rows = (
        (
            each["group"],
            each["about"],
            each["decision"],
            ", ".join(each["packages"]),
            each["by"],
        )
        for each in report["decisions"]
    )
    return _table("Decisions", columns, rows)


def _verdict(report: Report) -> Text:
    if report["accepted"]:
        return Text("\nThe review accepted this environment.", style="bold green")
    return Text("\nThe review rejected this environment.", style="bold red")


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=any(columns := tuple(columns)))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # As text: a licence or a path may contain what would be markup.
        table.add_row(*(Text(cell) for cell in row))
    if not table.rows:
        table.add_row("none")
    return table


def _written(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
