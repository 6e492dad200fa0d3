"""How results are shown: a table for people, one JSON line for programs."""

import json
import os
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One figure with its target; `met` is None where there is none."""

    question: str
    figure: str
    value: float
    target: str = ""
    met: bool | None = None


def show(rows: list[Row]) -> None:
    """Print the table and the JSON line."""
    table = Table("question", "figure", "target", "met", title="Celeriac beside bare Celery")
    for row in rows:
        met = {True: "yes", False: "NO", None: ""}[row.met]
        table.add_row(row.question, row.figure, row.target, met)
    console = Console(width=130)
    console.print(table)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    console.print(
        f"{os.cpu_count()} cores, load {load}. Absolute times depend on the machine and its noise; "
        "compare the ratios, which were measured side by side."
    )
    print(json.dumps([asdict(row) for row in rows]))
