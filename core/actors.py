"""Who acts: a person, a customer, or the shop itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change, as events and attempts keep it."""

    kind: str
    """`system`, `customer` or `operator`."""
    user_id: int | None = None
    label: str = "system"

    @classmethod
    def of(cls, user: "AbstractBaseUser") -> "Actor":
        kind = "operator" if getattr(user, "is_staff", False) else "customer"
        return cls(kind=kind, user_id=user.pk, label=f"{kind}:{user.pk}")


SYSTEM: Final = Actor(kind="system")
