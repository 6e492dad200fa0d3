"""CEL expressions and `${}` templates: bounded, compiled once, no data in their errors."""

from workflows.expressions.evaluate import ExpressionInfo, check, evaluate, evaluate_condition
from workflows.expressions.functions import FUNCTIONS, Function
from workflows.expressions.template import TemplateInfo, check_template, render, render_entry

__all__ = [
    "FUNCTIONS",
    "ExpressionInfo",
    "Function",
    "TemplateInfo",
    "check",
    "check_template",
    "evaluate",
    "evaluate_condition",
    "render",
    "render_entry",
]
