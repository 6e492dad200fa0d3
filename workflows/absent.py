"""The mark of what is not there, as opposed to null."""

from enum import Enum
from typing import Final, Literal


class Absent(Enum):
    """The type of `ABSENT`; false in conditions."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"

    __str__ = __repr__


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
