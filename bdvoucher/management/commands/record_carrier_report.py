"""`manage.py record_carrier_report`: what a platform's report says of an unconfirmed charge."""

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from core.actors import Actor
from core.errors import DomainError
from core.money import taka
from payments.recovery import record_carrier_report

RIGHT = "payments.record_carrier_report"


class Command(BaseCommand):
    help = "Settle a payment by carrier billing that its operator never confirmed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", help="our transactionId, BDV-<order>-<n>")
        parser.add_argument("said", choices=["charged", "not-charged"])
        parser.add_argument("--amount", help="taka that were charged")
        parser.add_argument("--transaction-id", default="", help="the platform's internalTrxId")
        parser.add_argument("--notes", required=True, help="where the report was seen")
        parser.add_argument("--by", required=True, help="e-mail of who records it (finance)")

    def handle(self, *_: Any, **options: Any) -> None:
        person = User.objects.filter(
            is_staff=True, is_active=True, email__iexact=options["by"]
        ).first()
        if person is None or not person.has_perm(RIGHT):
            raise CommandError(
                "--by must name a person of the staff with the right to record reports."
            )
        try:
            payment = record_carrier_report(
                options["reference"],
                charged=options["said"] == "charged",
                amount=_amount(options["amount"]),
                transaction_id=options["transaction_id"],
                notes=options["notes"],
                operator=Actor.of(person),
                now=timezone.now(),
            )
        except DomainError as exc:
            details = " ".join(detail.message for detail in exc.details)
            raise CommandError(details or exc.message) from exc
        self.stdout.write(f"{payment.reference} is {payment.status}")


def _amount(text: str | None) -> Decimal | None:
    try:
        return taka(text) if text else None
    except (ValueError, InvalidOperation):
        raise CommandError("--amount must be taka, as in 500.00") from None
