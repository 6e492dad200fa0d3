"""CEL expressions and `${}` templates: bounded, compiled once, no data in their errors."""

from workflows.expressions.evaluate import (
    ExpressionInfo,
    check,
    evaluate,
    evaluate_condition,
    outer_function,
)
from workflows.expressions.functions import FUNCTIONS, Function
from workflows.expressions.template import (
    TemplateInfo,
    check_template,
    render,
    render_entry,
    text_parts,
)

__all__ = [
    "FUNCTIONS",
    "ExpressionInfo",
    "Function",
    "TemplateInfo",
    "check",
    "check_template",
    "evaluate",
    "evaluate_condition",
    "outer_function",
    "render",
    "render_entry",
    "text_parts",
]
