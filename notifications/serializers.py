"""JSON of mails, in and out (seed ResendEmail, sections 4 and 6)."""

from collections.abc import Sequence
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from rest_framework import serializers

from core.api.fields import StrictSerializer, TextField, instant
from notifications.composing import LOCAL_PART
from notifications.eligibility import Case
from notifications.models import EmailMessage
from notifications.services import EmailRequest
from notifications.states import STANDINGS, Template, Workflow
from orders.serializers import OrderSchema
from orders.states import OfferKind, OrderSource

REASON_LENGTH = 500


class SendEmailSerializer(StrictSerializer):
    """Body of `POST /ordersv2/{id}/email/send`."""

    template = TextField(max_length=60, help_text=f"One of {', '.join(Template.values)}.")
    to = serializers.EmailField(
        max_length=254, required=False, help_text="Default: the order's own address."
    )
    paymentId = serializers.CharField(  # noqa: N815 - the contract's own name
        max_length=40, required=False, help_text="Id or `transaction_id` of a payment of the order."
    )

    def validate_to(self, value: str) -> str:
        MaxLengthValidator(LOCAL_PART)(value.rpartition("@")[0])
        return value

    def asked(self, reason: str) -> EmailRequest:
        data = self.validated_data
        return EmailRequest(data["template"], data.get("to", ""), data.get("paymentId", ""), reason)


def mail_fields(case: Case) -> dict[str, Any]:
    """What the resend endpoint adds to an order's own fields."""
    order = case.order
    return {
        "source": order.source,
        "offerSubSource": order.offer_sub_source or None,
        "subscriptionId": order.subscription_id,
        "endUser": {"email": order.recipient_email, "language": order.language},
        "prebillingStatus": _word(case.prebilling),
        "emailConfirmationStatus": _word(case.confirmation),
        "emailCancellationStatus": _word(case.workflow(Template.CANCELLATION)),
        "partialRefundEmailStatus": _word(case.workflow(Template.PARTIAL_REFUND)),
        "emails": emails_data(case.mails),
    }


def emails_data(mails: Sequence[EmailMessage]) -> list[dict[str, Any]]:
    return [email_data(each) for each in mails]


def email_data(message: EmailMessage) -> dict[str, Any]:
    return {
        "emailId": message.external_id or None,
        "templateName": message.template.upper(),
        "templateDefinitionName": message.definition or message.template,
        "recipient": message.recipient,
        "paymentId": message.payment_ref or None,
        "createDate": instant(message.created_at),
        "status": message.standing,
    }


def _word(state: models.TextChoices | None) -> str | None:
    return None if state is None else str(state.value)


class EmailSchema(serializers.Serializer[Any]):
    emailId = serializers.CharField(  # noqa: N815
        allow_null=True, help_text="The mail service's id; null until it has taken the mail."
    )
    templateName = serializers.CharField(help_text="Logical template.")  # noqa: N815
    templateDefinitionName = serializers.CharField(help_text="Concrete template.")  # noqa: N815
    recipient = serializers.EmailField()
    paymentId = serializers.CharField(allow_null=True)  # noqa: N815
    createDate = serializers.DateTimeField()  # noqa: N815
    status = serializers.ChoiceField(STANDINGS)


class EndUserSchema(serializers.Serializer[Any]):
    email = serializers.EmailField()
    language = serializers.CharField()


class OrderWithEmailsSchema(OrderSchema):
    """The whole order with the state of its mails; codes are masked."""

    source = serializers.ChoiceField(OrderSource.choices)  # type: ignore[assignment] # the contract's own name
    offerSubSource = serializers.ChoiceField(OfferKind.choices, allow_null=True)  # noqa: N815
    subscriptionId = serializers.IntegerField(allow_null=True)  # noqa: N815
    endUser = EndUserSchema()  # noqa: N815
    prebillingStatus = serializers.ChoiceField(Workflow.choices, allow_null=True)  # noqa: N815
    emailConfirmationStatus = serializers.ChoiceField(  # noqa: N815
        Workflow.choices, allow_null=True
    )
    emailCancellationStatus = serializers.ChoiceField(  # noqa: N815
        Workflow.choices, allow_null=True
    )
    partialRefundEmailStatus = serializers.ChoiceField(  # noqa: N815
        Workflow.choices, allow_null=True
    )
    emails = EmailSchema(many=True)
