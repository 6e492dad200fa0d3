"""CEL expressions and `${}` templates: bounded, compiled once, no data in their errors."""

from workflows.expressions.evaluate import (
    ExpressionInfo,
    check,
    check_budget,
    evaluate,
    evaluate_condition,
    outer_function,
)
from workflows.expressions.functions import FUNCTIONS, Function
from workflows.expressions.limits import Budget
from workflows.expressions.parse import count_tokens
from workflows.expressions.template import (
    TemplateInfo,
    check_template,
    check_text,
    count_text_tokens,
    render,
    render_entry,
    text_parts,
    texts_of,
)

__all__ = [
    "FUNCTIONS",
    "Budget",
    "ExpressionInfo",
    "Function",
    "TemplateInfo",
    "check",
    "check_budget",
    "check_template",
    "check_text",
    "count_text_tokens",
    "count_tokens",
    "evaluate",
    "evaluate_condition",
    "outer_function",
    "render",
    "render_entry",
    "text_parts",
    "texts_of",
]
