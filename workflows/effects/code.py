"""The activity of `code` nodes: runs their source in the sandbox, or in this process."""

from datetime import timedelta
from typing import Any

from workflows import conf
from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity
from workflows.context.values import check_value, loads
from workflows.effects.inside.run_code import run_source
from workflows.effects.inside.talking import Talk
from workflows.effects.limits import clearing, own_seconds
from workflows.effects.sandbox import Limits, run_inside
from workflows.errors import ValueRefusedError


def _grace() -> timedelta:
    """Return what only a sandbox needs: in this process the engine itself ends the time."""
    return timedelta() if conf.settings().code == "trusted" else clearing()


@activity("code", internal=True, grace=_grace)
def code(
    source: str, context: dict[str, Any], seconds: float | None, call: ActivityContext
) -> dict[str, Any]:
    """Run a source on a context, and return what it has left there.

    Raises:
        ActivityError: `code_error` and `code_syntax` with the line; `code_memory`, `code_timeout`,
            `code_output`, `code_killed`; `code_off`, `isolation_unavailable`.
    """
    mode = conf.settings().code
    if mode == "off":
        raise NonRetryableError("code_off", f"{conf.CODE} is 'off': no `code` node is run.")
    answer = (
        # The end of its time is an interrupt, and no error of the source.
        run_source(source, context, passing=(KeyboardInterrupt,))
        if mode == "trusted"
        else _isolated(source, context, seconds, call)
    )
    if "error" in answer:
        raise _failure(**answer["error"])
    try:
        check_value(
            answer["context"],
            max_bytes=conf.settings().max_value_bytes,
            setting=conf.MAX_VALUE_BYTES,
        )
    except ValueRefusedError as error:
        raise NonRetryableError("code_output", f"`context` is refused: {error.message}.") from None
    left: dict[str, Any] = answer["context"]
    return left


#: What is said of a source by who runs it, and how: all else is the engine's to say.
_SAID = {
    "code_error": ActivityError,
    "code_memory": ActivityError,
    "code_output": NonRetryableError,
    "code_syntax": NonRetryableError,
}


def _failure(code: str, message: str, **_: Any) -> ActivityError:
    if code not in _SAID:
        return _no_answer()
    return _SAID[code](code, message)


def _no_answer() -> ActivityError:
    # The source runs in the process that answers, so it can say anything.
    return NonRetryableError("code_output", "What its process has answered is no answer.")


def _isolated(
    source: str, context: dict[str, Any], seconds: float | None, call: ActivityContext
) -> dict[str, Any]:
    settings = conf.settings()
    limits = Limits(
        seconds=own_seconds(seconds, settings.code_seconds),
        memory_mb=settings.code_memory_mb,
        file_mb=settings.sandbox_file_mb,
        processes=settings.sandbox_processes,
    )
    job = {"source": source, "context": context}
    most = settings.max_value_bytes * 2  # as ASCII, text may take more than it does as UTF-8
    talk = run_inside("run_code", job, limits, most=most, goes_on=call.is_wanted)
    return _answer(talk, limits, most)


def _answer(talk: Talk, limits: Limits, most: int) -> dict[str, Any]:
    if talk.ended == "timeout":
        raise ActivityError("code_timeout", f"It ran longer than {limits.seconds:g} s.")
    if talk.ended == "too_much":
        raise NonRetryableError("code_output", "`context` is too large.")
    if talk.ended == "unwanted":
        raise ActivityError("unwanted", "The run was stopped meanwhile.")
    if talk.err:
        # The source cannot write here: this is the sandbox itself.
        reason = talk.err.decode(errors="replace").strip().splitlines()[-1]
        raise ActivityError("isolation_unavailable", f"The sandbox has failed: {reason}")
    try:
        answer = loads(talk.out, max_bytes=most)
    except ValueRefusedError as error:
        if not talk.out:
            raise ActivityError("code_killed", "Its process has ended without an answer.") from None
        raise NonRetryableError("code_output", f"`context` is refused: {error.message}.") from None
    match answer:
        case {"error": {"code": str(), "message": str()}} | {"context": dict()}:
            return dict(answer)
        case _:
            raise _no_answer()
