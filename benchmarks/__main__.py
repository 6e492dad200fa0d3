"""`python -m benchmarks [question ...]`: measure everything, or the named questions."""

import sys
from importlib import import_module

from benchmarks.place import open_place
from benchmarks.report import Row, show

QUESTIONS = ("sequence", "fan_out", "parked", "pure", "trials")
MOST_MEMORY = 150  # MiB a worker process


def main(names: list[str]) -> int:
    """Measure, print, and return 0 when every target was met."""
    rows: list[Row] = []
    with open_place() as place:
        for name in names or QUESTIONS:
            rows += import_module(f"benchmarks.{name}").measure(place)
        peak = max(place.memory_peaks())
    rows.append(
        Row(
            "memory: largest worker process",
            f"{peak:.0f} MiB",
            peak,
            "under 150 MB",
            peak < MOST_MEMORY,
        )
    )
    show(rows)
    return 0 if all(row.met in {True, None} for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
