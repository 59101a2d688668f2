"""How a check says what it found: the number, the sentence, and the variable that mends it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Info, Warning as CheckWarning

MAKE_TEXT: Final = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
MAKE_KEY: Final = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
Check = Callable[..., list[CheckMessage]]


def error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"bdvoucher.E{number:03}")


def warning(number: int, message: str, hint: str) -> CheckWarning:
    return CheckWarning(message, hint=hint, id=f"bdvoucher.W{number:03}")


def note(number: int, message: str, hint: str) -> Info:
    return Info(message, hint=hint, id=f"bdvoucher.I{number:03}")


def listed(find: Callable[[], Iterator[CheckMessage]]) -> Check:
    """A check as Django calls it, from a generator of what it found."""

    def check(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
        del app_configs  # settings belong to no app
        return list(find())

    check.__name__ = find.__name__
    return check
