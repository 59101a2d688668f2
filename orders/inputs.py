"""What a customer must tell us so that a product can be delivered.

Source: contract page bdvoucher, sections 3.2 and 4.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from catalog.states import IDENTIFIERS
from core.errors import Detail

MAX_LENGTH: Final = 200
EMAIL: Final = "email"


def checked_input(
    config: Mapping[str, Any], given: Mapping[str, Any], *, recipient_email: str, path: str
) -> tuple[dict[str, str], list[Detail]]:
    """The item's input as it is kept, and what is wrong with it (`path` names the item).

    Numbers become strings. An e-mail product without an e-mail takes the order's recipient.
    """
    fields: dict[str, Mapping[str, Any]] = {
        str(field["name"]): field for field in config.get("fields", [])
    }
    clean: dict[str, str] = {}
    problems: list[Detail] = []
    identifiers = [name for name in given if name in IDENTIFIERS]
    if len(identifiers) > 1:
        message = f"Send one identifier, not {' and '.join(sorted(identifiers))}."
        problems.append(Detail(path, "mixed_identifiers", message))
    for name, value in given.items():
        here = f"{path}.{name}"
        text = as_text(value)
        if name not in fields:
            problems.append(Detail(here, "unknown", f"This product does not ask for {name}."))
        elif text is None:
            problems.append(Detail(here, "invalid", f"{name} must be text or a number."))
        elif len(text) > MAX_LENGTH:
            problems.append(
                Detail(here, "too_long", f"{name} has more than {MAX_LENGTH} characters.")
            )
        elif text:
            clean[name] = text
    if EMAIL in fields and EMAIL not in clean and recipient_email:
        clean[EMAIL] = recipient_email
    problems += _missing(fields, clean, given, path)
    return clean, problems


def as_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value).strip()


def _missing(
    fields: Mapping[str, Mapping[str, Any]],
    clean: Mapping[str, str],
    given: Mapping[str, Any],
    path: str,
) -> Iterator[Detail]:
    for name, field in fields.items():
        label = field.get("label") or name
        if name not in clean:
            if field.get("required") and as_text(given.get(name, "")) is not None:
                yield Detail(f"{path}.{name}", "required", f"{label} is required.")
        elif name == EMAIL:
            try:
                validate_email(clean[name])
            except ValidationError:
                yield Detail(f"{path}.{name}", "invalid", "This is not an e-mail address.")
