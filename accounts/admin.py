"""Customers and staff in the admin; its own sign-in page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.forms import StaffSignInForm
from accounts.groups import OWNER
from accounts.models import StaffAction, User
from accounts.services import drop_second_factor
from core.admin import LookAdmin

admin.site.login_form = StaffSignInForm


class NewStaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """Staff are made here; customers make themselves, by proving a number."""

    password = forms.CharField(widget=forms.PasswordInput, strip=False, min_length=8)
    email = forms.EmailField()

    class Meta:
        model = User
        fields = ("email", "name")

    def save(self, commit: bool = True) -> User:
        self.instance.is_staff = True
        self.instance.set_password(self.cleaned_data["password"])
        user: User = super().save(commit=commit)
        return user


@admin.register(User)
class UserAdmin(StockUserAdmin[User]):
    add_form = NewStaffForm
    add_fieldsets = ((None, {"fields": ("email", "name", "password")}),)
    fieldsets = (
        (None, {"fields": ("msisdn", "email", "name", "language", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    readonly_fields = ("msisdn", "is_staff", "date_joined", "last_login")
    list_display = ("__str__", "msisdn", "email", "is_staff", "is_active")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("msisdn", "email", "name")
    ordering = ("-pk",)
    filter_horizontal = ("groups",)
    show_full_result_count: ClassVar[bool] = False
    actions: Any = ("forget_second_factor",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only an owner hands out rights: else who may edit a user could make one of themselves."""
        names = super().get_readonly_fields(request, obj)
        return names if request.user.is_superuser else (*names, "is_superuser", "groups")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002
        return False  # orders and the audit trail point here; an account is switched off instead

    def has_owner_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser) or request.user.groups.filter(name=OWNER).exists()

    @admin.action(description="Switch the second factor off", permissions=["owner"])
    def forget_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For who has lost phone and recovery codes; they set it up anew."""
        for user in queryset.filter(is_staff=True):
            drop_second_factor(user)
        messages.success(request, "Their second factor is off.")


@admin.register(StaffAction)
class StaffActionAdmin(LookAdmin[StaffAction]):
    """What the staff did here, newest first."""

    list_display = ("action", "user", "path", "status", "address", "at")
    list_display_links = ("action",)
    list_select_related = ("user",)
    search_fields = ("action__exact", "path__exact", "correlation_id__exact", "user__email__exact")
    search_help_text = "Action, address, correlation id or e-mail; exact."
