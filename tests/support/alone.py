"""An activity that finds out, by a file, whether somebody of another run is at it as well."""

import os
import threading
from pathlib import Path

from workflows.activities import ActivityContext, NonRetryableError, activity


@activity("alone.work")
def work(place: str, context: ActivityContext, seconds: float = 0.1) -> None:
    """Be alone in a place for a while; an attempt that was killed has left its own sign there."""
    sign = Path(place)
    try:
        handle = os.open(sign, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        if sign.read_text(encoding="ascii") != context.run_id:
            raise NonRetryableError("crowded", "another run is here") from None
    else:
        os.write(handle, context.run_id.encode("ascii"))
        os.close(handle)
    threading.Event().wait(seconds)
    if sign.read_text(encoding="ascii") != context.run_id:
        raise NonRetryableError("crowded", "another run was here")
    sign.unlink()
