"""`manage.py preview_mail 20000001 --template CANCELLATION --language bn --html mail.html`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.eligibility import definition_of
from notifications.models import EmailMessage
from notifications.notices import rendered_mail
from notifications.rendering import LANGUAGES
from notifications.samples import sample_facts
from notifications.states import VOUCHERS, Template
from orders.models import Order
from vouchers.selectors import codes_of_order


class Command(BaseCommand):
    help = "Show a mail of an order as its customer would get it now, codes masked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("order_number")
        parser.add_argument("--template", choices=[VOUCHERS, *Template.values], default=VOUCHERS)
        parser.add_argument("--language", choices=LANGUAGES, help="instead of the order's")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write the HTML twin there")

    def handle(self, *_args: Any, **options: Any) -> None:
        rows = Order.objects.select_related("subscription")
        order = rows.filter(order_number=options["order_number"]).first()
        if order is None:
            raise CommandError(f"There is no order {options['order_number']}.")
        language = options["language"] or order.language
        message = preview_of(order, options["template"], language=language)
        if message.template == VOUCHERS and not message.voucher_ids:
            raise CommandError(f"Order {order} has no codes yet, so there is nothing to mail.")
        rendered = rendered_mail(message, mask_codes=True)
        self.stdout.write(f"Subject: {rendered.subject}\n\n{rendered.text}")
        if options["html"]:
            options["html"].write_text(rendered.html, encoding="utf-8")
            self.stdout.write(f"HTML: {options['html']}")


def preview_of(order: Order, template: str, *, language: str) -> EmailMessage:
    """An unsaved mail of the order; where money is told that it has not seen, with sample sums."""
    if template == VOUCHERS:
        listed = [code.voucher_id for code in codes_of_order(order.pk)]
        return EmailMessage(order=order, template=VOUCHERS, language=language, voucher_ids=listed)
    kept = EmailMessage.objects.filter(order=order, template=template).last()
    return EmailMessage(
        order=order,
        template=template,
        language=language,
        definition=definition_of(Template(template), order),
        facts=kept.facts if kept else sample_facts(Template(template), order),
    )
