"""The definitions beside a file that its workflow calls, for a trial of the whole family."""

from collections.abc import Iterator
from pathlib import Path

from workflows import services
from workflows.definition.parse import MAX_BYTES

_ENDINGS = (".yaml", ".yml", ".json")


def called_beside(text: str, source: str) -> dict[str, str]:
    """Return (file name: text) of the definitions that a workflow calls, directly or further down.

    They are looked for in the folder of the file `source`, by the names of their workflows; of two
    with one name the first counts, in the order of the files' names. What is not there is left
    out: publishing says so.
    """
    found = {name: (file, other) for name, file, other in _around(Path(source))}
    found.pop(services.name_in(text, source=source) or "", None)
    called: dict[str, str] = {}
    to_read = [(text, source)]
    while to_read:
        for name in services.calls_in(*to_read.pop()):
            if name in found:
                file, other = found.pop(name)
                called[file] = other
                to_read.append((other, file))
    return called


def _around(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (workflow, file, text) of the definitions in a file's folder, the last file first."""
    for file in sorted(path.parent.iterdir(), reverse=True):
        if file.suffix.lower() not in _ENDINGS or not file.is_file() or file == path:
            continue
        try:
            if file.stat().st_size > MAX_BYTES:
                continue
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # some other file, which is no matter of ours
        name = services.name_in(text, source=str(file))
        if name is not None:
            yield name, str(file), text
