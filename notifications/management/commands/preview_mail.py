"""`manage.py preview_mail 20000001 --language bn --html mail.html`: a mail, codes masked."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.models import EmailMessage
from notifications.rendering import LANGUAGES, VOUCHERS, contents, masked, render
from orders.models import Order
from vouchers.selectors import codes_of_order


class Command(BaseCommand):
    help = "Show the voucher mail of an order as its customer would get it now, codes masked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("order_number")
        parser.add_argument("--language", choices=LANGUAGES, help="instead of the order's")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write the HTML twin there")

    def handle(self, *_args: Any, **options: Any) -> None:
        order = Order.objects.filter(order_number=options["order_number"]).first()
        if order is None:
            raise CommandError(f"There is no order {options['order_number']}.")
        listed = [code.voucher_id for code in codes_of_order(order.pk)]
        if not listed:
            raise CommandError(f"Order {order} has no codes yet, so there is nothing to mail.")
        message = EmailMessage(
            order=order,
            template=VOUCHERS,
            language=options["language"] or order.language,
            voucher_ids=listed,
        )
        codes, waiting = contents(message)
        rendered = render(message, [masked(code) for code in codes], waiting)
        self.stdout.write(f"Subject: {rendered.subject}\n\n{rendered.text}")
        if options["html"]:
            options["html"].write_text(rendered.html, encoding="utf-8")
            self.stdout.write(f"HTML: {options['html']}")
