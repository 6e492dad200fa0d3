"""Which HTTP statuses are meant by `200`, `2xx`, `200-299`, or a list of these."""

import re

_STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)

Status = int | str


def status_ranges(expect: Status | list[Status]) -> list[list[int]]:
    """Return the first and the last status of each entry."""
    return [_bounds(each) for each in _listed(expect)]


def status_problems(expect: Status | list[Status]) -> list[str]:
    """Return what is wrong with the entries."""
    if not _listed(expect):
        return ["No status is expected, so that every answer would be a failure."]
    wrong = [each for each in _listed(expect) if not _STATUS.fullmatch(str(each))]
    return [f"{each!r} is no status such as 200, 2xx or 200-299." for each in wrong]


def _listed(expect: Status | list[Status]) -> list[Status]:
    return expect if isinstance(expect, list) else [expect]


def _bounds(status: Status) -> list[int]:
    match = _STATUS.fullmatch(str(status))
    if match is None:  # refused when it was published
        return [0, 0]
    if match[1]:
        return [int(match[1]) * 100, int(match[1]) * 100 + 99]
    return [int(match[2]), int(match[3] or match[2])]
