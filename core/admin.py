"""What every page of the operators' site shares: rows to look at, and counts that stay cheap."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.paginator import Paginator
from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet
from django.forms import CharField
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.errors import Conflict
from core.models import IdempotencyKey
from core.templatetags.shop import badge, taka, when

M = TypeVar("M", bound=models.Model)
MOST_COUNTED: Final = 10_000
"""Longer lists are not counted to their end (D36)."""


class ChoiceFilter(admin.SimpleListFilter):
    """Rows with one of the values we know; Django would look for them in the whole table."""

    choices_known: ClassVar[Sequence[tuple[str, str]]] = ()

    def lookups(
        self,
        request: HttpRequest,  # noqa: ARG002
        model_admin: admin.ModelAdmin[Any],  # noqa: ARG002
    ) -> list[tuple[str, str]]:
        return list(self.choices_known)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        wanted = self.value()
        return queryset.filter(**{str(self.parameter_name): wanted}) if wanted else queryset


class CappedPaginator(Paginator[Any]):
    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:MOST_COUNTED].count()


class ShopModelAdmin(admin.ModelAdmin[M]):
    """A page of ours: quick lists, newest first, nothing counted twice."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering: ClassVar[Any] = ("-pk",)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    helps: ClassVar[Mapping[str, str]] = {}
    """Field -> what a person needs to know to fill it in."""
    found_within: ClassVar[Mapping[str, Q]] = {}
    """Search field -> what its index needs beside the term."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if words := self.helps.get(db_field.name):
            kwargs.setdefault("help_text", words)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Exact searches are one look into an index each; an OR of them would read the table."""
        fields = self.get_search_fields(request)
        term = search_term.strip()
        if not term or not all(name.endswith("exact") for name in fields):
            return super().get_search_results(request, queryset, search_term)
        rows = self.model._base_manager  # noqa: SLF001 - Django's own name for it
        looks = [
            rows.filter(self.found_within.get(name, Q()), **{name: term}).values_list("pk")
            for name in fields
        ]
        found = looks[0].union(*looks[1:]) if len(looks) > 1 else looks[0]
        return queryset.filter(pk__in=[pk for (pk,) in found[:MOST_COUNTED]]), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    @admin.display(description="Status", ordering="status")
    def state(self, row: M) -> SafeString:
        return badge(row)

    @admin.display(description="When", ordering="-pk")
    def made(self, row: Any) -> SafeString | str:
        return when(row.created_at)

    @admin.display(description="Order")
    def order_page(self, row: Any) -> SafeString | str:
        return link_to_order(row.order) if row.order else ""

    @admin.display(description="Amount")
    def sum(self, row: Any) -> str:
        return taka(row.amount)


def link_to_order(order: Any) -> SafeString:
    address = reverse("admin:orders_order_change", args=[order.pk])
    return format_html('<a href="{}">{}</a>', address, order)


class LookAdmin(ShopModelAdmin[M]):
    """Rows that services write and nobody edits: browsed, never added, changed or deleted."""

    actions: Any = None
    list_display_links: Any = ("__str__",)

    def has_add_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False


class ReasonForm(ActionForm):
    """Beside the choice of an action: why it is done."""

    reason = CharField(required=False, max_length=300, label="Reason")


def reason_given(request: HttpRequest) -> str:
    """Why somebody does what the action does; without it nothing is done, and they are told."""
    reason = request.POST.get("reason", "").strip()[:300]
    if not reason:
        messages.error(request, "Say why in the field Reason, then do it again.")
    return reason


class KeptAdmin(ShopModelAdmin[M]):
    """Rows that staff write, and that other rows point to for ever: switched off, not deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002
        return False


class BulkAdmin(KeptAdmin[M]):
    """Rows edited in the list: each is checked like a form, and only what was changed in it since
    the page was drawn is saved: what somebody else changed meanwhile is not put back unseen."""

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset = super().get_changelist_formset(request, **kwargs)
        fields = formset.form.base_fields
        for name in getattr(self, "list_editable", ()):
            if name in fields:
                fields[name].show_hidden_initial = True
        return formset

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        listed = change and form.prefix and form.prefix.startswith("form-")
        if listed and form.changed_data:
            obj.save(update_fields=form.changed_data)
        elif not listed:
            super().save_model(request, obj, form, change)


def new_form_key() -> str:
    """Goes out with each form that acts, and may come back once."""
    return str(uuid.uuid4())


def spend_form_key(user_id: int, key: str, *, now: datetime | None = None) -> None:
    """Let a form act once, however often its button was pressed.

    Raises:
        Conflict: this very form has been sent already.
    """
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(
                caller=f"admin:{user_id}", key=key, digest=b"", claimed_at=now or timezone.now()
            )
    except IntegrityError:
        raise Conflict("This form was sent already; see what came of it below.") from None
