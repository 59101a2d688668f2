"""Hand one mail to the mail server and say what became of it: claim, call, record.

The row is the queue: whoever claims it first sends it, and a sender that died holds it for no
longer than its lease. The customer may then get the mail twice, under one Message-ID (I12).
"""

import smtplib
import socket
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import DatabaseError
from django.db.models import F, Q

from core.correlation import HEADER, correlated
from core.db import durable
from core.logging import get_logger
from notifications.models import EmailMessage
from notifications.refusals import MailNotSent, refusal
from notifications.rendering import ForeignCode, contents, render
from notifications.states import EmailStatus

log = get_logger(__name__)
