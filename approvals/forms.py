"""The form in which people decide: what the request asks for, and a comment."""

from typing import Any

from django import forms

from workflows.forms import JSONObject, SchemaForm


class AnswerForm(SchemaForm):
    """A comment and, below the key of each property, what `schema` asks for."""

    comment = forms.CharField(
        required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(
        self, schema: JSONObject | None, *args: Any, is_rejection: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(schema or {"type": "object"}, *args, **kwargs)
        self._is_rejection = is_rejection
        for field in self._names:
            # Nobody has to fill in a form to say no.
            self.fields[field].required = self.fields[field].required and not is_rejection
        self.order_fields([*self._names, "comment"])

    @property
    def comment_text(self) -> str:
        """The comment, after `is_valid`."""
        return str(self.cleaned_data["comment"])

    def answer(self) -> JSONObject:
        """Return the JSON object that was filled in; what was left blank is left out."""
        values: JSONObject = super().answer()
        # A box that is not ticked cannot be told from one that nobody looked at.
        is_blank = all(value is False for value in values.values())
        return {} if self._is_rejection and is_blank else values
