"""Customers and staff in the admin; its own sign-in page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.http import HttpRequest

from accounts.forms import StaffSignInForm
from accounts.models import User

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

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only an owner hands out rights: else who may edit a user could make one of themselves."""
        names = super().get_readonly_fields(request, obj)
        return names if request.user.is_superuser else (*names, "is_superuser", "groups")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002
        return False  # orders and the audit trail point here; an account is switched off instead
