"""Customers, staff and their groups in the admin; its own sign-in page."""

from typing import Any, Final, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.forms import StaffSignInForm
from accounts.groups import OWNER, RIGHTS
from accounts.models import StaffAction, User
from accounts.services import drop_second_factor
from core.admin import LookAdmin, ShopModelAdmin
from core.templatetags.shop import pill, when

BUILT_IN: Final = frozenset({*RIGHTS, OWNER})
MOST_MEMBERS: Final = 50

admin.site.login_form = StaffSignInForm
admin.site.unregister(Group)


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
class UserAdmin(ShopModelAdmin[User], StockUserAdmin[User]):
    add_form = NewStaffForm
    add_fieldsets = ((None, {"fields": ("email", "name", "password")}),)
    list_display = ("__str__", "kind", "msisdn", "email", "in_groups", "last_seen", "usable")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("msisdn", "email", "name")
    search_help_text = "Number, e-mail address or name."
    ordering = ("-pk",)
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    readonly_fields = ("msisdn", "is_staff", "date_joined", "last_login", "their_orders", "factor")
    actions: Any = ("forget_second_factor",)
    helps = {
        "email": "Staff sign in with it; a customer's is where the vouchers go unless an order "
        "says otherwise.",
        "language": "Of the mails and messages to them.",
        "is_active": "Switched off, nobody signs in with it; orders and history stay.",
        "is_superuser": "Holds every right there is, whatever the groups say.",
        "groups": "What they may do. Each group's page lists its rights.",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        person = ("msisdn", "email", "name", "language", "password", "is_active")
        dates = ("Dates", {"fields": ("date_joined", "last_login")})
        if not obj.is_staff:
            return ((None, {"fields": (*person, "their_orders")}), dates)
        rights = ("is_staff", "groups", "is_superuser", "factor")
        return ((None, {"fields": person}), ("Rights", {"fields": rights}), dates)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only an owner hands out rights, and nobody changes their own: else who may edit a user
        could make an owner of themselves, and the last owner could lock everybody out."""
        names = super().get_readonly_fields(request, obj)
        if obj is not None and obj.pk == request.user.pk:
            return (*names, "is_active", "is_superuser", "groups")
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

    @admin.display(description="Who", ordering="is_staff")
    def kind(self, row: User) -> str:
        return "Staff" if row.is_staff else "Customer"

    @admin.display(description="Groups")
    def in_groups(self, row: User) -> str:
        names = [group.name for group in row.groups.all()]
        return ", ".join([*names, "all rights"] if row.is_superuser else names)

    @admin.display(description="Last sign-in", ordering="last_login")
    def last_seen(self, row: User) -> SafeString | str:
        return when(row.last_login) if row.last_login else "-"

    @admin.display(description="Account", ordering="is_active")
    def usable(self, row: User) -> SafeString:
        return pill("Active", "good") if row.is_active else pill("Switched off", "quiet")

    @admin.display(description="Orders")
    def their_orders(self, row: User) -> SafeString | str:
        if not row.msisdn:
            return "-"
        address = f"{reverse('admin:orders_order_changelist')}?q={row.msisdn}"
        return format_html('<a href="{}">Orders of this customer</a>', address)

    @admin.display(description="Second factor")
    def factor(self, row: User) -> SafeString:
        found = getattr(row, "second_factor", None)
        on = found is not None and found.confirmed_at is not None
        return pill("Set up", "good") if on else pill("Not set up", "warn")


@admin.register(Group)
class GroupAdmin(ShopModelAdmin[Group]):
    """The shop's own four are what `accounts/groups.py` says; other wishes are other groups."""

    list_display = ("name", "origin", "people", "rights")
    search_fields = ("name",)
    ordering = ("name",)
    autocomplete_fields = ("permissions",)
    actions: Any = None
    helps = {"permissions": "Type a word of a right, such as recover, refund or reveal."}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        rows = super().get_queryset(request)
        return rows.annotate(
            people_count=Count("user", filter=Q(user__is_active=True), distinct=True),
            rights_count=Count("permissions", distinct=True),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:  # noqa: ARG002
        if obj is None:
            return ((None, {"fields": ("name", "permissions")}),)
        if obj.name not in BUILT_IN:
            return ((None, {"fields": ("name", "permissions", "members")}),)
        words = (
            "One of the shop's own groups: its rights come with each release and are put back "
            "when they were changed. For another wish make another group."
        )
        return ((None, {"fields": ("name", "members", "all_rights"), "description": words}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:  # noqa: ARG002
        built_in = obj is not None and obj.name in BUILT_IN
        return ("members", "all_rights", *(("name",) if built_in else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Not one of ours, nor one that would take somebody's rights away unseen."""
        free = obj is None or (obj.name not in BUILT_IN and not obj.user_set.exists())
        return free and super().has_delete_permission(request, obj)

    @admin.display(description="")
    def origin(self, row: Group) -> SafeString | str:
        return pill("The shop's own", "quiet") if row.name in BUILT_IN else ""

    @admin.display(description="People", ordering="people_count")
    def people(self, row: Any) -> int:
        return int(row.people_count)

    @admin.display(description="Rights", ordering="rights_count")
    def rights(self, row: Any) -> int:
        return int(row.rights_count)

    @admin.display(description="People in it")
    def members(self, row: Group) -> SafeString | str:
        people = row.user_set.order_by("name", "email")[:MOST_MEMBERS]
        links = [(reverse("admin:accounts_user_change", args=[each.pk]), each) for each in people]
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "Nobody yet"

    @admin.display(description="May")
    def all_rights(self, row: Group) -> SafeString:
        names = row.permissions.order_by("content_type__app_label", "name")
        rows = names.values_list("content_type__app_label", "name")
        return format_html_join("", "<div>{}: {}</div>", ((app, name) for app, name in rows))


@admin.register(Permission)
class PermissionAdmin(LookAdmin[Permission]):
    """For the boxes that look rights up; not a page of the menu."""

    search_fields = ("name", "codename", "content_type__app_label")
    list_select_related = ("content_type",)
    ordering = ("content_type__app_label", "codename")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permission]:
        return super().get_queryset(request).select_related("content_type")

    def has_module_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_view_permission(self, request: HttpRequest, obj: Permission | None = None) -> bool:  # noqa: ARG002
        return cast("User", request.user).has_perm("auth.change_group")


@admin.register(StaffAction)
class StaffActionAdmin(LookAdmin[StaffAction]):
    """What the staff did here, newest first."""

    list_display = ("what", "user", "path", "status", "address", "made")
    list_display_links = ("what",)
    list_select_related = ("user",)
    search_fields = ("action__exact", "path__exact", "correlation_id__exact", "user__email__exact")
    search_help_text = "Action, address, correlation id or e-mail; exact."

    @admin.display(description="Action", ordering="pk")
    def what(self, row: StaffAction) -> str:
        """The page's name in words: `orders_order_resend` is told as `order resend`."""
        app, _, rest = row.action.partition("_")
        known = rest if app in {each.label for each in apps.get_app_configs()} else row.action
        return known.replace("_", " ")

    @admin.display(description="When", ordering="-pk")
    def made(self, row: StaffAction) -> SafeString | str:
        return when(row.at)
