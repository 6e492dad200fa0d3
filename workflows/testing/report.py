"""What `workflow try` prints, field by field: programs may rely on it.

A field is never taken away and never changes its meaning; new ones may come.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ToldError(_Told):
    """Why a run or an attempt failed, or why a trial was refused."""

    code: str | None = Field(description="Stable code: of the node, the activity or the engine.")
    message: str = Field(description="For people.")
    node: str | None = Field(description="The node that failed; null if it was none.")
    attempt: int | None = Field(None, description="Which attempt it was.")
    details: Any = Field(None, description="More, by the code.")
    input: Any = Field(None, description="What the node was given.")


class ToldProblem(_Told):
    """One thing that is wrong with a definition, its input or a case."""

    code: str = Field(description="Stable code.")
    message: str = Field(description="For people.")
    pointer: str = Field(description="JSON pointer to the spot.")
    line: int | None = Field(description="Line of the document, from 1; null if it has none.")
    column: int | None = Field(description="Column, from 1; null if it has none.")
    severity: Literal["error", "warning"] = Field(description="A trial is refused for errors.")


class ToldWarning(ToldProblem):
    """One thing that its author should know, and most often a typo; nothing is refused for it."""

    source: str = Field(
        description="Where it is: a definition (a file, `definition` or `workflows/0`), `stubs` or "
        "`events`."
    )


class ToldNode(_Told):
    """One attempt of one node, in the order of the history."""

    node: str = Field(description="Its id.")
    kind: str = Field(description="Its kind.")
    from_: str | None = Field(alias="from", description="The node before it; null at the start.")
    attempt: int = Field(description="From 1.")
    status: Literal["completed", "failed", "lost"] = Field(description="How it ended.")
    input: Any = Field(description="What it was given, by its kind.")
    output: Any = Field(
        description="What it has changed in the context, by top-level key. A `fan_out` has null; "
        "a `race`, `fan_in`, `batch` or `map` by path what stands behind it at `merge`, `winner` "
        "and `errors`, null for nothing; an `end`, and an approval that ends the run, "
        "`{output, result, reason, warnings}`; a `lock` `{lock: taken}` or `{lock: left}`."
    )
    error: ToldError | None = Field(description="Why it failed.")


class ToldSuspension(_Told):
    """One wait that is still open."""

    node: str = Field(description="The node that waits.")
    kind: Literal["timer", "event", "person", "child", "task"] = Field(description="For what.")
    since: str = Field(description="Virtual time at which it began (RFC 3339).")
    since_s: float = Field(description="The same, in seconds from the start.")
    wake_at: str | None = Field(description="When it ends by itself.")
    event: str | None = Field(description="Type of the event that it waits for.")
    key: str | None = Field(description="Correlation key of the event.")


class _Course(_Told):
    result: Literal["ok", "allowed", "blocked"] | None = Field(
        description="Verdict of a completed run."
    )
    reason: str = Field(description="Why it was blocked or cancelled; often empty.")
    output: Any = Field(description="What the run ended with; null if it did not complete.")
    error: ToldError | None = Field(description="Why it failed, or was refused.")
    problems: list[ToldProblem] = Field(description="Why it is `invalid`; else empty.")
    nodes: list[ToldNode] = Field(description="Every attempt of every node.")
    suspensions: list[ToldSuspension] = Field(description="What it still waits for.")
    children: list["ToldChild"] = Field(description="The runs that it has started.")
    unused: list[dict[str, Any]] = Field(
        description="Entries of the events that were never used; of the first run only."
    )
    virtual_duration_s: float = Field(description="Virtual seconds from the start to the end.")


_STATUS = Literal["pending", "running", "suspended", "completed", "failed", "cancelled"]


class ToldChild(_Course):
    """A child run: told as its parent is, and where it was started."""

    status: _STATUS = Field(description="Status of the child run.")
    run: str = Field(description="Its id; another one in every trial.")
    workflow: str = Field(description="Its workflow.")
    version: int = Field(description="Its version.")
    node: str | None = Field(description="The node that has started it.")
    attempt: int = Field(description="Which attempt of that node.")
    input: Any = Field(description="What it was started with.")


class Told(_Course):
    """The whole report."""

    id: str | int | None = Field(None, description="Of the case; only with `--cases`.")
    status: Literal[_STATUS, "invalid"] = Field(
        description="Status of the run; `invalid` when definition, input or case are refused."
    )
    source: str | None = Field(
        None,
        description="What is refused: a definition (a file, or `definition` or `workflows/0`), the "
        "`input`, or one of the `events` when its time has come.",
    )
    warnings: list[ToldWarning] = Field(
        description="What is no error and should be known: warnings of the definitions, stubs that "
        "no node asks for or that were never called, answers to nodes that are none, fields of "
        "answers that count for nothing."
    )


#: In the order of the reference page.
PARTS = (Told, ToldError, ToldProblem, ToldWarning, ToldNode, ToldSuspension, ToldChild)
