"""A mail as it goes out; the only place where codes and recipient meet."""

from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import MaxLengthValidator, validate_email

from core import correlation
from notifications.models import EmailMessage
from notifications.notices import rendered_mail
from notifications.rendering import ForeignCode

#: RFC 5321, 4.5.3.1.1: characters before the @.
LOCAL_PART: Final = 64
FOREIGN_CODE: Final = "a listed code does not belong to this order"
#: The name under which a provider hands our row's id back with each event.
MAIL_KEY: Final = "bdv_mail"


class MailNotSent(Exception):  # noqa: N818 - says what is known
    """The mail was not accepted, in a sentence without any content of it."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


def compose(message: EmailMessage) -> EmailMultiAlternatives:
    """Render a mail to be sent.

    Raises:
        MailNotSent: it may not be sent as it stands.
    """
    try:
        validate_email(message.recipient)
        MaxLengthValidator(LOCAL_PART)(message.recipient.rpartition("@")[0])
    except ValidationError:
        raise MailNotSent("bad address", permanent=True) from None
    try:
        rendered = rendered_mail(message)
    except ForeignCode:
        raise MailNotSent(FOREIGN_CODE, permanent=True) from None
    mail = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[message.recipient],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={
            "Message-ID": message.message_id,
            correlation.HEADER: message.correlation_id,
            "X-Order-Number": message.order.order_number,
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(rendered.html, "text/html")
    mail.metadata = {MAIL_KEY: str(message.pk)}  # type: ignore[attr-defined] # for anymail
    return mail
