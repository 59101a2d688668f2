"""An operator's desk: the recovery API as its client sees it."""

from typing import Any, Final

from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import bearer
from orders.models import Order

SEED_PATHS: Final = "/admin/orders"
API_PATHS: Final = "/api/v1/admin/orders"


class Desk:
    def __init__(self, user: User, mount: str = API_PATHS) -> None:
        self.user, self.mount = user, mount
        self.client = APIClient()
        self.client.credentials(**bearer(user))

    def get(self, order: Order, what: str = "", *, status: int = 200, **query: Any) -> Any:
        answer = self.client.get(f"{self.mount}/{order.pk}{what}", query)
        assert answer.status_code == status, answer.content
        return answer.json()

    def attempts(self, order: Order) -> list[dict[str, Any]]:
        return self.get(order, "/fulfillment-attempts")["data"]["items"]

    def post(
        self, order: Order | str, action: str, *, status: int = 200, key: str = "", **body: Any
    ) -> Any:
        where = order.pk if isinstance(order, Order) else order
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(
            f"{self.mount}/{where}/fulfillment/{action}", body, format="json", headers=headers
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    def enter(self, order: Order, item: Any, *codes: str, status: int = 200, **more: Any) -> Any:
        """`manual-code` with the array."""
        rows = [{"code": code} for code in codes]
        body = {"orderItemId": item.pk, "codes": rows, **more}
        return self.post(order, "manual-code", status=status, **body)

    def retry(self, order: Order, item: Any, *, status: int = 200, **more: Any) -> Any:
        return self.post(order, "partner-retry", status=status, orderItemId=item.pk, **more)

    def resend(self, order: Order, *, status: int = 200, **more: Any) -> Any:
        return self.post(order, "resend-email", status=status, **more)
