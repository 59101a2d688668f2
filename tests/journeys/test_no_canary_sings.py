"""Codes are money: after a sale and a repair none is found where it must not be.

Real processes: what the customer was delivered, and what an operator typed, is looked for in the
logs of web, worker and scheduler, in everything Redis holds (cache, counters, tasks) and in a plain
`pg_dump`, as text and as the hexadecimal of a binary column.
"""

import html
import os
import re
import subprocess
import uuid
from collections import Counter

import pytest
import redis
import requests

from bdvoucher.backups import _program
from bdvoucher.local.client import Login, ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.backoffice import BackOffice
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey
#: Without what narrows a list down, but for exports.
_LINK = re.compile(r'href="(/admin/(?!log|jsi18n)(?:[^"?#]*export[^"#]*|[^"?#]*))"')
#: Of pages that differ by a number alone so many are looked at.
OF_A_KIND = 2


@pytest.fixture
def canaries(client: ShopClient) -> list[str]:
    """Delivered by itself; typed by an operator, with a key, a mistake and a mail that fails."""
    sold = client.place_order(seed_order())
    client.pay(sold["payment"]["paymentGatewayUrl"])
    codes = client.wait_for(sold["id"], "SUCCEEDED", seconds=60)["voucher_codes"]
    client.control("POST", "zendit/preset", {"preset": "out_of_stock"})
    broken = client.place_order(seed_order())
    client.pay(broken["payment"]["paymentGatewayUrl"])
    order = client.wait_for(broken["id"], "NEEDS_ATTENTION", seconds=60)
    item = next(each["id"] for each in order["items"] if each["variant_id"] == 22402)
    typed = [f"CANARY-{uuid.uuid4().hex[:10].upper()}-{n}" for n in range(2)]
    body = {"orderItemId": item, "codes": [{"code": code} for code in typed], "notes": "by hand"}
    path = f"/admin/orders/{order['id']}/fulfillment/manual-code"
    client.mail_server("refuse")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    client.expect(200, "POST", path, body, who="operator", headers=key)
    client.expect(200, "POST", path, body, who="operator", headers=key)  # replayed from the row
    client.mail_server("accept")
    client.expect(200, "POST", path, body, who="operator")
    wrong = {**body, "codes": [{"code": code, "kode": code} for code in typed]}
    client.expect(400, "POST", path, wrong, who="operator")  # what is refused is not quoted
    whole = client.wait_for(order["id"], "SUCCEEDED", seconds=60)
    return sorted({*codes, *whole["voucher_codes"], *typed})


def found(canaries: list[str], where: bytes) -> list[str]:
    text = where.lower()
    return [
        code
        for code in canaries
        if code.lower().encode() in text or code.encode().hex().encode() in text
    ]


def everything_in_redis(url: str) -> bytes:
    with redis.Redis.from_url(url) as client:
        parts = []
        for key in client.scan_iter():
            kind = client.type(key)
            parts.append(key)
            if kind == b"string":
                parts.append(client.get(key) or b"")
            elif kind == b"list":
                parts += client.lrange(key, 0, -1)
            elif kind == b"hash":
                parts += [part for pair in client.hgetall(key).items() for part in pair]
            elif kind == b"set":
                parts += client.smembers(key)
            elif kind == b"zset":
                parts += client.zrange(key, 0, -1)
        return b"\n".join(parts)


def test_no_code_is_where_it_must_not_be(
    client: ShopClient, shop: Shop, canaries: list[str]
) -> None:
    assert len(canaries) >= 6
    for name in ("web", "worker", "beat"):
        log = shop.log(name).encode()
        assert name == "beat" or log, f"{name} logs nothing: this would prove nothing"
        assert found(canaries, log) == [], f"in the log of {name}"
    for name in ("REDIS_URL", "CELERY_BROKER_URL"):
        assert found(canaries, everything_in_redis(shop.env[name])) == [], name
    dump = subprocess.run(
        [_program("pg_dump"), "--inserts", "--data-only", "--dbname", shop.env["DATABASE_URL"]],
        env=dict(os.environ), capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"INSERT INTO public.vouchers" in dump
    assert found(canaries, dump) == [], "in a plain pg_dump"


@pytest.mark.parametrize("who", ["support", "finance"])
def test_who_may_not_reveal_reads_masks(client: ShopClient, canaries: list[str], who: str) -> None:
    """By API and on whatever the pages of the desk lead to: lists, orders, mails, exports."""
    login = Login(f"{who}@bdvoucher.com", f"{who}-demo")
    body = {"email": login.name, "password": login.password}
    token = client.expect(200, "POST", "/api/v1/admin/auth/login", body)["data"]["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    orders = requests.get(f"{client.url}/api/v1/admin/orders", headers=headers, timeout=20)
    answers = [orders]
    for order in orders.json()["data"]["items"][:3]:
        for what in ("", "/fulfillment-attempts"):
            path = f"{client.url}/admin/orders/{order['id']}{what}"
            answers.append(requests.get(path, headers=headers, timeout=20))
    pages = walked(BackOffice(client, login))
    assert len(pages) > 20, [answer.url for answer in pages]
    for answer in (*answers, *pages):
        assert answer.status_code in (200, 403), answer.url
        assert found(canaries, answer.content) == [], answer.url


def walked(desk: BackOffice) -> list[requests.Response]:
    """What the links of the desk lead to: of each kind of page a few, for rows are alike."""
    waiting, seen, of_kind, answers = ["/admin/"], {"/admin/"}, Counter[str](), []
    while waiting:
        answer = desk.session.get(desk.url + waiting.pop(0), timeout=20)
        answers.append(answer)
        for link in map(html.unescape, _LINK.findall(answer.text)):
            kind = re.sub(r"\d+", "N", link)
            if link not in seen and of_kind[kind] < OF_A_KIND:
                seen.add(link)
                of_kind[kind] += 1
                waiting.append(link)
    return answers
