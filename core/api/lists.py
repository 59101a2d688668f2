"""Pages as D3 says: `{items, page, limit, total, total_pages}`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils.datastructures import MultiValueDict

from core.errors import BadRequest, Detail

MAX_LIMIT: Final = 100
#: Longer than any number that is meant; Python reads no text of thousands of digits.
MAX_DIGITS: Final = 20
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    rows: Sequence[M]
    page: int
    limit: int
    total: int

    def as_data(self, shape: Callable[[M], Any]) -> dict[str, Any]:
        return {
            "items": [shape(row) for row in self.rows],
            "page": self.page,
            "limit": self.limit,
            "total": self.total,
            "total_pages": -(-self.total // self.limit),
        }


def page_of(rows: QuerySet[M], params: Mapping[str, str], *, default_limit: int) -> Page[M]:
    """The page asked for; one past the end is empty. Two statements, whatever the rows.

    Raises:
        BadRequest: `page` or `limit` is not a whole number in its range, or a parameter is sent
            more than once.
    """
    once_each(params)
    page = whole(params, "page", default=1, least=1, most=1_000_000)
    limit = whole(params, "limit", default=default_limit, least=1, most=MAX_LIMIT)
    start = (page - 1) * limit
    return Page(list(rows[start : start + limit]), page, limit, rows.count())


def once_each(params: Mapping[str, str]) -> None:
    """Refuse a parameter that is sent twice: nobody can tell which of the two is meant.

    Raises:
        BadRequest: naming the first of them.
    """
    if not isinstance(params, MultiValueDict):
        return
    for name, values in params.lists():
        if len(values) > 1:
            raise BadRequest.at(str(name), f"{name} may be sent once only.", code="repeated")


def whole(params: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = params.get(name)
    if text is None:
        return default
    written = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    if not (written and least <= int(text) <= most):
        message = f"{name} must be a whole number from {least} to {most}."
        raise BadRequest(message, details=[Detail(name, "invalid", message)])
    return int(text)
