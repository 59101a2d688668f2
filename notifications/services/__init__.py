"""What others may ask of mail and alerts: put one on its way, send one again, see, deal with."""

from notifications.alerts import acknowledge, resolve
from notifications.services.business import queue_email
from notifications.services.choices import MailChoice, mail_choices
from notifications.services.resending import EmailRequest, Resent, resend_email
from notifications.services.vouchers import queue_voucher_mail

__all__ = [
    "EmailRequest",
    "MailChoice",
    "Resent",
    "acknowledge",
    "mail_choices",
    "queue_email",
    "queue_voucher_mail",
    "resend_email",
    "resolve",
]
