"""Points Bridge: our own contract for those who credit points (docs/domain/loyalty.md).

No source names a points partner, so this is the contract we offer one; its rules are those that
make a credit safe: our reference is unique there, a repeat is told as such, and what became of a
reference can be asked for at any time.

* `POST /v1/credits` `{reference, program, member_id, first_name, last_name, amount}`
* `GET /v1/credits/<reference>`
* `POST /v1/members/check` `{program, member_id, first_name, last_name}`

Answers: `{reference, status, transaction_id, error: {code, message}}` with `status` one of
`accepted`, `processing`, `credited`, `rejected`. A refused POST is checked by reference before it
is believed; `not_found` with HTTP 404 alone means "reference unknown".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import requests

from core.db import durable
from core.http import Answer, Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.wire import Unclear, plain_text, required_setting
from loyalty.partners.base import AtWork, Credited, Member

SLUG: Final = "points_bridge"
AT_WORK: Final = frozenset({"accepted", "processing"})


@dataclass(frozen=True, slots=True)
class PointsBridge:
    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    base_url: str
    api_key: str = field(repr=False)

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            base_url=required_setting(SLUG, "POINTS_BRIDGE_BASE_URL").rstrip("/"),
            api_key=required_setting(SLUG, "POINTS_BRIDGE_API_KEY"),
        )

    @durable
    def credit(self, *, reference: str, member: Member, amount: int) -> Credited | AtWork:
        """Sent once; a refusal is checked by reference."""
        body = {"reference": reference, "amount": amount, **_named(member)}
        answer = self._send("POST", "credits", body, repeatable=False)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return self._after_refusal(reference, answer)
        try:
            return _read(answer, reference)
        except Unclear as exc:
            raise OutcomeUnknown(SLUG, str(exc)) from exc

    @durable
    def lookup(self, *, reference: str) -> Credited | AtWork | None:
        answer = self._send("GET", f"credits/{reference}", repeatable=True)
        if answer.status == HTTPStatus.NOT_FOUND and _error(answer)[0] == "not_found":
            return None
        try:
            return _read(answer, reference)
        except Unclear as exc:
            raise Unavailable(SLUG, str(exc)) from exc

    @durable
    def check_member(self, *, member: Member) -> None:
        answer = self._send("POST", "members/check", _named(member), repeatable=True)
        said = answer.json() or {}
        if answer.status == HTTPStatus.OK and said.get("accepted") is True:
            return
        code, message = _error(answer)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and code:
            raise Declined(SLUG, message or code, raw_code=code)
        raise Unavailable(SLUG, f"unclear answer, HTTP {answer.status}")

    def _after_refusal(self, reference: str, answer: Answer) -> Credited | AtWork:
        code, message = _error(answer)
        try:
            found = self.lookup(reference=reference)
        except (Unavailable, Misconfigured) as exc:
            raise OutcomeUnknown(SLUG, message or code, raw_code=code) from exc
        if found is not None:
            return found
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and code:
            raise Declined(SLUG, message or code, raw_code=code)
        raise OutcomeUnknown(SLUG, f"HTTP {answer.status} {code}".strip(), raw_code=code)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool
    ) -> Answer:
        request = requests.Request(
            method,
            f"{self.base_url}/v1/{path}",
            headers={"Authorization": f"Bearer {self.api_key}", "Accept": "application/json"},
            json=body,
        )
        return self.out.send(request, repeatable=repeatable)


def _named(member: Member) -> dict[str, str]:
    return {
        "program": member.program_code,
        "member_id": member.member_id,
        "first_name": member.first_name,
        "last_name": member.last_name,
    }


def _error(answer: Answer) -> tuple[str, str]:
    error = (answer.json() or {}).get("error")
    part = error if isinstance(error, dict) else {}
    return plain_text(part.get("code"), 60), plain_text(part.get("message"))


def _read(answer: Answer, reference: str) -> Credited | AtWork:
    said = answer.json()
    if said is None or not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Unclear(f"unclear answer, HTTP {answer.status}")
    if said.get("reference") != reference:
        raise Unclear("an answer about another credit")
    status = plain_text(said.get("status"), 60)
    if status in AT_WORK:
        return AtWork(status)
    if status == "credited":
        return Credited(plain_text(said.get("transaction_id"), 100))
    if status == "rejected":
        code, message = _error(answer)
        raise Declined(SLUG, message or code or "rejected", raw_code=code)
    raise Unclear(f"unknown status {status!r}")
