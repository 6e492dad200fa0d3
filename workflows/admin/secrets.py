"""Secrets: set and deleted here, never shown."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from workflows import conf
from workflows.admin.read_only import FilteredAdmin
from workflows.errors import CeleriacError
from workflows.models import Secret
from workflows.services import secrets


class SecretForm(ModelForm[Secret]):
    """The value can be written and not read; a blank one leaves it as it is."""

    value = forms.CharField(
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        required=False,
        strip=False,
        min_length=secrets.SHORTEST,
        max_length=secrets.LONGEST,
        help_text="It is encrypted, and no page shows it. Blank leaves the value as it is.",
    )
    hosts = forms.CharField(
        required=False,
        help_text="Hosts that it may be sent to, with blanks between: api.example.org "
        "*.example.org localhost:8000. Anywhere when empty.",
    )

    class Meta:
        model = Secret
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["hosts"] = " ".join(self.instance.hosts)
        if "value" in self.fields:  # a page that only shows has none
            self.fields["value"].required = self.instance.pk is None

    def clean_value(self) -> str:
        """Refuse a value that could not be kept, for example because there is no key."""
        value = str(self.cleaned_data["value"])
        try:
            secrets.check_value(value or "blank")
        except CeleriacError as error:
            raise forms.ValidationError(error.message) from None
        return value

    def clean_hosts(self) -> list[str]:
        hosts = str(self.cleaned_data["hosts"]).split()
        wrong = [host for host in hosts if not conf.is_host(host)]
        if wrong:
            raise forms.ValidationError(f"{wrong[0]!r} is no host such as api.example.org.")
        return hosts


@admin.register(Secret)
class SecretAdmin(FilteredAdmin):
    """Who may change secrets can set them, and nobody can read one."""

    form = SecretForm
    list_display = ("name", "meant_for", "updated_at", "updated_by")
    list_select_related = ("updated_by",)
    search_fields = ("name",)
    fields = ("name", "value", "hosts", "updated_at", "updated_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        return super().get_queryset(request).defer("sealed")

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: Secret | None = None,
    ) -> list[Any]:
        return self.with_exact_times(["updated_at", "updated_by", *(["name"] if obj else [])])

    def get_fields(self, request: HttpRequest, obj: Secret | None = None) -> list[Any]:
        if obj is not None and not self.has_change_permission(request, obj):
            return self.with_exact_times(("name", "meant_for", "updated_at", "updated_by"))
        return self.with_exact_times(self.fields if obj else ("name", "value", "hosts"))

    @admin.display(description="hosts")
    def meant_for(self, secret: Secret) -> str:
        return " ".join(secret.hosts) or "any"

    def save_model(
        self,
        request: HttpRequest,
        obj: Secret,
        form: Any,
        change: bool,  # noqa: FBT001 - Django's signature
    ) -> None:
        given = form.cleaned_data
        by = cast("AbstractBaseUser", request.user)  # nobody else gets here
        if given["value"]:
            secrets.set_secret(obj.name, given["value"], hosts=given["hosts"], by=by)
        elif change:
            secrets.set_hosts(obj.name, given["hosts"], by=by)
        obj.pk = Secret.objects.only("pk").get(name=obj.name).pk

    def delete_model(self, request: HttpRequest, obj: Secret) -> None:  # noqa: ARG002 - Django's
        secrets.delete_secret(obj.name)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Secret]) -> None:  # noqa: ARG002 - Django's
        for each in queryset:
            secrets.delete_secret(each.name)
