"""Who of the staff may what (D21): four groups, and the rights of each.

Rights belong to apps above this one, so they are named here by words, and each app's are
given when it has been migrated (`post_migrate`, also after a test's flush). The table is the
truth: a right that is not in it is taken from these four again. Other wishes are other groups.
"""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission

SUPPORT: Final = "support"
OPERATOR: Final = "operator"
FINANCE: Final = "finance"
OWNER: Final = "owner"

_LOOK: Final = frozenset(
    {
        "catalog.view_brand",
        "catalog.view_category",
        "catalog.view_partner",
        "catalog.view_partnersource",
        "catalog.view_product",
        "catalog.view_tag",
        "catalog.view_variant",
        "fulfillment.view_fulfillmentattempt",
        "fulfillment.view_partnerhealth",
        "fulfillment.view_partnertransaction",
        "loyalty.view_fulfillmentorder",
        "loyalty.view_loyaltyclient",
        "loyalty.view_loyaltyprogram",
        "loyalty.view_membershiprule",
        "loyalty.view_pointsaccount",
        "loyalty.view_pointstransfer",
        "loyalty.view_programmember",
        "notifications.view_adminalert",
        "notifications.view_emailevent",
        "notifications.view_emailmessage",
        "notifications.view_storeemailpolicy",
        "orders.view_discountcode",
        "orders.view_order",
        "orders.view_orderevent",
        "orders.view_orderitem",
        "orders.view_subscription",
        "payments.view_carrierconsent",
        "payments.view_gatewaycallback",
        "payments.view_payment",
        "payments.view_refund",
        "webhooks.view_delivery",
        "webhooks.view_deliveryattempt",
        "webhooks.view_endpoint",
    }
)
_SUPPORT: Final = _LOOK | {"fulfillment.resend_codes"}
_GOODS: Final = ("brand", "category", "partner", "partnersource", "product", "tag", "variant")
RIGHTS: Final[Mapping[str, frozenset[str]]] = {
    SUPPORT: _SUPPORT,
    OPERATOR: _SUPPORT
    | {
        "fulfillment.override_recipient",
        "fulfillment.recover_order",
        "fulfillment.reset_breaker",
        "fulfillment.change_partnerhealth",
        "fulfillment.view_recoveryrun",
        "loyalty.settle_transfer",
        *(f"loyalty.{act}_programmember" for act in ("add", "change", "delete")),
        *(f"loyalty.{act}_membershiprule" for act in ("add", "change", "delete")),
        *(
            f"loyalty.{act}_{model}"
            for act in ("add", "change")
            for model in ("loyaltyprogram", "pointsaccount")
        ),
        "notifications.change_adminalert",
        "orders.add_subscription",
        "orders.change_subscription",
        "orders.cancel_order",
        "orders.release_order",
        "vouchers.add_batch",
        "vouchers.replace_voucher",
        "vouchers.reveal_code",
        "vouchers.view_batch",
        "vouchers.view_codereveal",
        "vouchers.view_voucher",
        "vouchers.void_voucher",
        "webhooks.replay_delivery",
        *(f"catalog.{act}_{model}" for act in ("add", "change") for model in _GOODS),
        *(f"orders.{act}_discountcode" for act in ("add", "change", "delete")),
    },
    FINANCE: _LOOK
    | {
        "orders.export_orders",
        "payments.export_payments",
        "payments.record_carrier_report",
        "payments.refund_payment",
        "payments.add_refund",
        "vouchers.view_batch",
        "vouchers.view_voucher",
    },
}
"""The owner's group is not here: it holds every right there is."""


def give_rights(app_label: str, *, using: str) -> None:
    """Bring the four groups' rights over one app's models to what the table says."""
    there = Permission.objects.using(using).filter(content_type__app_label=app_label)
    known = {f"{app_label}.{right.codename}": right for right in there}
    for name in (SUPPORT, OPERATOR, FINANCE, OWNER):
        group, _ = Group.objects.using(using).get_or_create(name=name)
        wanted = {
            right.pk for word, right in known.items() if name == OWNER or word in RIGHTS[name]
        }
        held = set(
            group.permissions.filter(content_type__app_label=app_label).values_list("pk", flat=True)
        )
        group.permissions.remove(*(held - wanted))
        group.permissions.add(*(wanted - held))
