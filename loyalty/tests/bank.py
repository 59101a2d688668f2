"""A programme's system as it calls us: over HTTP, with its token."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from rest_framework.test import APIClient

from loyalty.models import LoyaltyClient
from loyalty.tests.factories import programme_bearer

MEMBER = {"id": "M-1001", "first_name": "Nadia", "last_name": "Islam"}
RECIPIENT = {"email": "nadia@example.com", "first_name": "Nadia", "last_name": "Islam"}


@dataclass
class Bank:
    client: LoyaltyClient
    user_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    prefix: str = ""

    def ask(self, verb: str, path: str, body: Any = None, *scopes: str, **headers: str) -> Any:
        return getattr(APIClient(raise_request_exception=False), verb)(
            f"{self.prefix}/{path}", body, format="json" if verb == "post" else None,
            **programme_bearer(self.client, *scopes) | headers,
        )  # fmt: skip

    def order(self, body: Any, path: str = "", **headers: str) -> Any:
        return self.ask("post", f"fulfillment-orders{path}", body, **headers)

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("get", path, query)

    def card(self, variant: Any, **changes: Any) -> dict[str, Any]:
        """The body of a generic order for a gift card."""
        body = {
            "reference": uuid.uuid4().hex,
            "user_id": self.user_id,
            "order_items": [{"type": "gift_card", "gift_card_id": variant.pk}],
            "recipient": RECIPIENT,
        }
        return {key: value for key, value in (body | changes).items() if value is not ...}

    def points(self, program: Any = None, **changes: Any) -> dict[str, Any]:
        """The body of a generic order for a points transfer."""
        item = {
            "type": "points_transfer",
            "loyalty_program_id": str((program or self.client.program).pk),
            "amount": 500,
        }
        body = {
            "reference": uuid.uuid4().hex,
            "user_id": self.user_id,
            "order_items": [item],
            "membership": MEMBER,
        }
        return {key: value for key, value in (body | changes).items() if value is not ...}


def refused(answer: Any, status: int, code: str, message: str) -> None:
    """The one error body, and nothing besides (D23)."""
    assert answer.status_code == status, answer.content
    assert answer.json() == {"error": {"code": code, "message": message}}
