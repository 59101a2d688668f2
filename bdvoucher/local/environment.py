"""The environment of a shop on this machine: addresses, secrets made once, demo credentials."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bdvoucher.local.nagad_keys import NAGAD_KEYS, nagad_keys
from bdvoucher.local.places import PROJECT, local_dir
from bdvoucher.local.ports import HOST, Ports
from bdvoucher.local.postgres import without_postgres_variables

KEY_BYTES: Final = 32
SETTINGS: Final = "DJANGO_SETTINGS_MODULE"
RUNNING: Final = "running.env"
"""In the local folder while servers run: how other commands find them."""
_adopted: Final[set[str]] = set()

# Known to the simulators too: they let in whoever shows exactly these.
DEMO_CREDENTIALS: Final = {
    "PAYSTATION_MERCHANT_ID": "104-1653730183",
    "PAYSTATION_PASSWORD": "gamecoderstorepass",
    "BKASH_APP_KEY": "demo-app-key",
    "BKASH_APP_SECRET": "demo-app-secret",
    "BKASH_USERNAME": "demo-user",
    "BKASH_PASSWORD": "demo-password",
    "SSLCOMMERZ_STORE_ID": "testbox",
    "SSLCOMMERZ_STORE_PASSWORD": "qwerty",
    "NAGAD_MERCHANT_ID": "683002007104225",
    "DCB_BDAPPS_APP_ID": "APP_000001",
    "DCB_BDAPPS_PASSWORD": "bdapps-demo",
    "DCB_APPLINK_APP_ID": "APP_000002",
    "DCB_APPLINK_PASSWORD": "applink-demo",
    "ZENDIT_API_KEY": "sand_demo",
    "ZENDIT_WEBHOOK_SECRET": "demo-webhook-secret",
    "RELOADLY_CLIENT_ID": "demo-client",
    "RELOADLY_CLIENT_SECRET": "demo-client-secret",
    "RELOADLY_WEBHOOK_SECRET": "demo-reloadly-webhook-secret",
    "POINTS_BRIDGE_API_KEY": "demo-points-key",
}

_FIXED_KEY: Final = base64.b64encode(b"1" * KEY_BYTES).decode()
# Fixed, so that a failing test fails the same way again.
TEST_SECRETS: Final = {
    "SECRET_KEY": "test-only-secret-key-test-only-secret-key-test-only",
    "JWT_SIGNING_KEY": "test-only-jwt-key-test-only-jwt-key-test-only-jwt-key",
    "CODE_KEYS": f"t1:{_FIXED_KEY}",
    "CODE_FINGERPRINT_KEY": base64.b64encode(b"2" * KEY_BYTES).decode(),
}


def new_secrets() -> dict[str, str]:
    def key() -> str:
        return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()

    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CODE_KEYS": f"k1:{key()}",
        "CODE_FINGERPRINT_KEY": key(),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
    }


def kept_secrets(folder: Path) -> dict[str, str]:
    """The secrets of the shop in `folder`, made at its first start, for its owner's eyes only."""
    path = folder / "secrets.env"
    known = read_env_file(path)
    made = new_secrets()
    if not known.keys() >= set(NAGAD_KEYS):  # two pairs: a half of either is of no use
        made |= nagad_keys()
        known = {name: value for name, value in known.items() if name not in NAGAD_KEYS}
    if missing := {k: v for k, v in made.items() if k not in known}:
        known |= missing
        lines = [
            "# Made at the first start. The codes in the database can be read with these only."
        ]
        write_env_file(path, known, *lines)
    return known


def write_env_file(path: Path, values: Mapping[str, str], *comments: str) -> None:
    """For the owner's eyes only, and never half written."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    lines = [*comments, *(f"{name}={value}" for name, value in values.items()), ""]
    half.write_text("\n".join(lines))
    half.replace(path)


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; a missing file is an empty one."""
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found


def given_environment() -> dict[str, str]:
    """What the person set: the environment, and below it the project's `.env`."""
    said = {name: value for name, value in os.environ.items() if name not in _adopted}
    return {**read_env_file(PROJECT / ".env"), **said}


def adopt() -> None:
    """Fill the gaps of this process's environment: `.env`, then secrets, then what runs here."""
    folder = local_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = kept_secrets(folder)
    except OSError:  # `up` will say why, in a sentence; until then any secrets do
        made = new_secrets()
    for found in (read_env_file(PROJECT / ".env"), made, read_env_file(folder / RUNNING)):
        for name, value in found.items():
            if not os.environ.get(name):
                os.environ[name] = value
                _adopted.add(name)


def addresses(ports: Ports) -> dict[str, str]:
    simulators, shop = f"http://{HOST}:{ports.simulators}", f"http://{HOST}:{ports.web}"
    return {
        "EMAIL_URL": f"smtp://{HOST}:{ports.smtp}",
        "PAYSTATION_BASE_URL": f"{simulators}/paystation",
        "PAYSTATION_PAGE_HOST": HOST,
        "BKASH_BASE_URL": f"{simulators}/bkash/v1.2.0-beta",
        "SSLCOMMERZ_BASE_URL": f"{simulators}/sslcommerz",
        "NAGAD_BASE_URL": f"{simulators}/nagad/remote-payment-gateway-1.0/api/dfs",
        "NAGAD_PAGE_HOST": HOST,
        "DCB_CARRIERS": "bdapps,applink",
        "DCB_BDAPPS_BASE_URL": f"{simulators}/dcb/bdapps",
        "DCB_APPLINK_BASE_URL": f"{simulators}/dcb/applink",
        "DCB_APPLINK_NOTIFICATION_URL": f"http://{HOST}:{ports.web}/api/v1/payments/dcb/callback",
        "DCB_NOTIFICATION_SENDERS": "127.0.0.1,::1",
        "ZENDIT_BASE_URL": f"{simulators}/zendit/v1",
        "ZENDIT_WEBHOOK_URL": f"{shop}/api/v1/zendit/webhook",
        "RELOADLY_BASE_URL": f"{simulators}/reloadly",
        "RELOADLY_AUTH_URL": f"{simulators}/reloadly",
        "RELOADLY_AUDIENCE": "https://giftcards-sandbox.reloadly.com",
        "RELOADLY_WEBHOOK_URL": f"{shop}/api/v1/reloadly/webhook",
        "POINTS_BRIDGE_BASE_URL": f"{simulators}/points",
        "WEBHOOK_ALLOW_LOOPBACK": "1",
        "SMS_URL": f"{simulators}/mail/sms",
        "PUBLIC_BASE_URL": shop,
    }


def shop_environment(
    *,
    given: Mapping[str, str],
    servers: Mapping[str, str],
    ports: Ports,
    made_secrets: Mapping[str, str],
) -> dict[str, str]:
    """What the shop's processes get. `given` wins over everything but the servers' addresses."""
    ours = {
        SETTINGS: "bdvoucher.settings.local",
        "PYTHONUNBUFFERED": "1",
        **addresses(ports),
        **DEMO_CREDENTIALS,
        **made_secrets,
    }
    rest = {name: value for name, value in given.items() if value or name not in ours}
    if not given.get("DATABASE_URL"):
        rest = without_postgres_variables(rest)
    return {**ours, **rest, **servers}


def neutral_environment() -> dict[str, str]:
    """The machine's environment (PATH, HOME, proxies ...) without anything said to a shop."""
    said = {SETTINGS, "EMAIL_BACKEND", "ALLOWED_HOSTS", "STATIC_ROOT", *TEST_SECRETS}
    said |= {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "REDIS_PREFIX"}
    said |= {*addresses(Ports(1, 2, 3)), *DEMO_CREDENTIALS, *NAGAD_KEYS}
    kept = {name: value for name, value in os.environ.items() if name not in said}
    kept = {name: value for name, value in kept.items() if not name.startswith("PYTEST_")}
    return without_postgres_variables(kept)
