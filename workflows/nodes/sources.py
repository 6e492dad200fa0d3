"""What can be told about Python source without running it."""

import ast


def syntax_problem(source: str) -> str:
    """Return what is wrong with a source, with its line; nothing when it compiles."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        compile(source, "<code>", "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        return f"{line}{error.msg}."
    except (ValueError, OverflowError, RecursionError, MemoryError):
        return "It cannot be read: it has NUL characters or is nested too deeply."
    return ""
