"""What `manage.py check` says of settings that are missing, unsafe or at odds."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.checks import CheckMessage, registry, run_checks

from bdvoucher import checks
from bdvoucher.celery import app
from bdvoucher.checks import keys, providers, real_shop, times
from bdvoucher.local.environment import DEMO_CREDENTIALS, TEST_SECRETS
from fulfillment.partners.registry import PARTNERS
from payments.gateways.registry import GATEWAYS

KEY, OTHER, OWN = b"a" * 32, b"b" * 32, b"c" * 32


def found(find: Callable[[], Iterator[CheckMessage]]) -> set[str]:
    return {message.id.removeprefix("bdvoucher.") for message in find()}


@pytest.fixture(autouse=True)
def sound(settings, monkeypatch):
    """A real shop's settings, of which each test spoils one."""
    for name, value in {
        "SECRET_KEY": "s" * 64,
        "JWT_SIGNING_KEY": "j" * 64,
        "SIMPLE_JWT": {"SIGNING_KEY": "j" * 64},
        "CODE_KEYS": {"k2": KEY, "k1": OTHER},
        "CODE_FINGERPRINT_KEY": OWN,
        "PUBLIC_BASE_URL": "https://shop.example.com",
        "ALLOWED_HOSTS": ["shop.example.com"],
        "PAYSTATION_BASE_URL": "https://paystation.example.com",
        "BKASH_BASE_URL": "https://bkash.example.com",
        "SSLCOMMERZ_BASE_URL": "https://sslcommerz.example.com",
        "NAGAD_BASE_URL": "https://nagad.example.com",
        "DCB_BDAPPS_BASE_URL": "https://bdapps.example.com",
        "DCB_APPLINK_BASE_URL": "https://applink.example.com",
        "DCB_NOTIFICATION_SENDERS": ["203.0.113.0/24"],
        "ZENDIT_BASE_URL": "https://zendit.example.com",
        "RELOADLY_BASE_URL": "https://reloadly.example.com",
        "RELOADLY_AUTH_URL": "https://auth.reloadly.example.com",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_USE_TLS": True,
        "EMAIL_USE_SSL": False,
        "SMS_URL": "https://sms.example.com/send",
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "TRUSTED_PROXIES": 1,
        "SECOND_FACTOR_REQUIRED": True,
        **dict.fromkeys(DEMO_CREDENTIALS, "of this shop alone"),
    }.items():
        setattr(settings, name, value)
    for name in TEST_SECRETS:
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize("find", [*checks.ALWAYS, *checks.DEPLOYED])
def test_a_sound_configuration_is_not_complained_of(find):
    assert found(find) == set()


@pytest.mark.parametrize(
    ("name", "value", "find", "id_"),
    [
        ("SECRET_KEY", "short", keys.signing_keys, "E001"),
        ("CODE_KEYS", {}, keys.code_keys, "E010"),
        ("CODE_KEYS", {"k1": b"a" * 16}, keys.code_keys, "E011"),
        ("CODE_KEYS", {"": KEY}, keys.code_keys, "E011"),
        ("CODE_KEYS", {"k1": KEY, "k2": KEY}, keys.code_keys, "E012"),
        ("CODE_FINGERPRINT_KEY", b"", keys.code_keys, "E013"),
        ("CODE_FINGERPRINT_KEY", b"c" * 31, keys.code_keys, "E013"),
        ("CODE_FINGERPRINT_KEY", OTHER, keys.code_keys, "E014"),
        (
            "CORS_ALLOWED_ORIGINS",
            ["http://shop.example.com"],
            real_shop.browser_origins_of_a_real_shop,
            "E060",
        ),
        ("PAYMENT_METHODS", [], providers.providers, "E020"),
        ("PAYMENT_METHODS", ["paystation", "cash"], providers.providers, "E021"),
        ("BKASH_USERNAME", "", providers.credentials, "E022"),
        ("SSLCOMMERZ_STORE_ID", "", providers.credentials, "E022"),
        ("SSLCOMMERZ_STORE_PASSWORD", "", providers.credentials, "E022"),
        ("DCB_APPLINK_PASSWORD", "", providers.credentials, "E022"),
        ("DCB_NOTIFICATION_SENDERS", [], providers.credentials, "E022"),
        ("DCB_CARRIERS", [], providers.credentials, "E022"),
        ("DCB_CARRIERS", ["bdapps", "grameen"], providers.providers, "E026"),
        (
            "DCB_APPLINK_BASE_URL",
            "http://applink.example.com",
            real_shop.addresses_of_a_real_shop,
            "E052",
        ),
        ("ZENDIT_API_KEY", "", providers.credentials, "E022"),
        ("RELOADLY_CLIENT_SECRET", "", providers.credentials, "E022"),
        ("RELOADLY_AUTH_URL", "", providers.providers, "E023"),
        ("RELOADLY_AUTH_URL", "http://auth.example", real_shop.addresses_of_a_real_shop, "E052"),
        ("POINTS_BRIDGE_API_KEY", "", providers.points, "E028"),
        ("POINTS_BRIDGE_BASE_URL", "", providers.points, "E028"),
        ("POINTS_BRIDGE_BASE_URL", "nowhere", providers.points, "E028"),
        ("VOUCHER_PARTNERS", ["zendit", "carrier"], providers.providers, "E024"),
        ("ZENDIT_WEBHOOK_SECRET", "", providers.credentials, "W025"),
        ("ZENDIT_BASE_URL", "", providers.providers, "E023"),
        ("ZENDIT_BASE_URL", "https://[", providers.providers, "E023"),
        ("NAGAD_MERCHANT_PRIVATE_KEY", "", providers.credentials, "E022"),
        ("NAGAD_MERCHANT_PRIVATE_KEY", "no key", providers.usable_gateways, "E029"),
        ("NAGAD_GATEWAY_PUBLIC_KEY", "bm8ga2V5", providers.usable_gateways, "E029"),
        ("PAYSTATION_PAY_WITH_CHARGE", "2", providers.usable_gateways, "E029"),
        ("MAIL_LEASE", timedelta(0), times.durations, "E040"),
        ("SWEEP_ORDERS_SECONDS", 0, times.durations, "E040"),
        ("MAIL_WAITS", [], times.durations, "E041"),
        ("LOOKUP_WAITS", [1.0, 0.0], times.durations, "E041"),
        ("EMAIL_TIMEOUT", 90, times.leases, "E042"),
        ("EMAIL_TIMEOUT", None, times.leases, "E042"),
        ("ATTEMPT_LEASE", timedelta(seconds=13), times.leases, "E043"),
        ("PARTNER_SENT_LEASE", timedelta(seconds=13), times.leases, "E043"),
        ("PAYMENT_LEASE", timedelta(seconds=13), times.leases, "E044"),
        ("OPERATOR_WAIT_SECONDS", 50.0, times.leases, "E045"),
        ("WEBHOOK_LEASE", timedelta(seconds=20), times.leases, "E047"),
        ("WEBHOOK_ALLOW_LOOPBACK", True, real_shop.receivers_of_a_real_shop, "E062"),
        ("PUBLIC_BASE_URL", "http://shop.example.com", real_shop.addresses_of_a_real_shop, "E050"),
        ("ALLOWED_HOSTS", ["other.example.com"], real_shop.addresses_of_a_real_shop, "E051"),
        ("ZENDIT_BASE_URL", "http://127.0.0.1:8100", real_shop.addresses_of_a_real_shop, "E052"),
        ("ZENDIT_API_KEY", DEMO_CREDENTIALS["ZENDIT_API_KEY"], real_shop.known_secrets, "E053"),
        ("SECRET_KEY", TEST_SECRETS["SECRET_KEY"], real_shop.known_secrets, "E053"),
        (
            "EMAIL_BACKEND",
            "django.core.mail.backends.console.EmailBackend",
            real_shop.mail_of_a_real_shop,
            "E054",
        ),
        ("EMAIL_USE_TLS", False, real_shop.mail_of_a_real_shop, "W055"),
        ("SMS_URL", "", real_shop.people_of_a_real_shop, "I056"),
        ("SMS_URL", "http://sms.example.com", real_shop.people_of_a_real_shop, "E057"),
        ("TRUSTED_PROXIES", 0, real_shop.people_of_a_real_shop, "I058"),
        ("SECOND_FACTOR_REQUIRED", False, real_shop.staff_have_a_second_factor, "W063"),
    ],
)
def test_one_fault_is_named_alone(settings, name, value, find, id_):
    setattr(settings, name, value)
    assert found(find) == {id_}


@pytest.mark.parametrize(("key", "id_"), [("", "E002"), ("j" * 31, "E003"), ("s" * 64, "E004")])
def test_a_bad_signing_key_of_tokens(settings, key, id_):
    settings.JWT_SIGNING_KEY, settings.SIMPLE_JWT = key, {"SIGNING_KEY": key}
    assert found(keys.signing_keys) == {id_}


def test_tokens_signed_with_another_key(settings):
    settings.SIMPLE_JWT = {"SIGNING_KEY": settings.SECRET_KEY}
    assert found(keys.signing_keys) == {"E005"}


def test_a_name_given_twice_is_seen_though_the_parsed_ring_has_lost_it(monkeypatch):
    monkeypatch.setenv("CODE_KEYS", "k1:YQ==,k1:Yg==")
    assert found(keys.code_keys) == {"E012"}


def test_public_code_keys_are_seen_in_the_environment(monkeypatch):
    monkeypatch.setenv("CODE_KEYS", TEST_SECRETS["CODE_KEYS"])
    assert found(real_shop.known_secrets) == {"E053"}


def test_refresh_tokens_need_the_blacklist(settings):
    settings.INSTALLED_APPS = [
        name for name in settings.INSTALLED_APPS if not name.endswith("token_blacklist")
    ]
    assert found(times.machinery) == {"E030"}


@pytest.mark.parametrize("limit", [None, 0, 60])
def test_a_cache_without_a_short_time_limit(settings, limit):
    cache = settings.CACHES["default"]
    options = {"socket_timeout": limit, "socket_connect_timeout": 1.0}
    settings.CACHES = {"default": {**cache, "OPTIONS": options}}
    assert found(times.machinery) == {"E031"}


def test_a_broker_without_a_short_time_limit(monkeypatch):
    monkeypatch.setitem(app.conf.broker_transport_options, "socket_timeout", None)
    assert found(times.machinery) == {"E031"}


def test_a_mail_provider_is_asked_over_https_anyway(settings):
    settings.EMAIL_BACKEND = "anymail.backends.amazon_ses.EmailBackend"
    settings.EMAIL_USE_TLS = False
    assert found(real_shop.mail_of_a_real_shop) == set()


@pytest.mark.parametrize("host", ["*", ".example.com", "SHOP.example.com"])
def test_hosts_are_matched_as_django_does(settings, host):
    settings.ALLOWED_HOSTS = [host]
    assert found(real_shop.addresses_of_a_real_shop) == set()


def test_every_provider_says_what_it_needs():
    assert set(providers.CREDENTIALS) == {*GATEWAYS, *PARTNERS}


def test_a_disabled_gateway_needs_nothing(settings):
    settings.PAYMENT_METHODS, settings.BKASH_APP_KEY = ["paystation"], ""
    assert found(providers.credentials) == set()


def test_every_message_names_a_way_out(settings):
    settings.PAYMENT_METHODS, settings.CODE_KEYS, settings.JWT_SIGNING_KEY = [], {}, ""
    messages = [each for find in checks.ALWAYS for each in find()]
    assert messages
    assert all(each.hint for each in messages)


def test_checks_of_a_real_shop_wait_for_deploy(settings):
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    plain = {message.id for message in run_checks(tags=["security"])}
    deployed = {
        message.id for message in run_checks(tags=["security"], include_deployment_checks=True)
    }
    assert "bdvoucher.E050" not in plain
    assert "bdvoucher.E050" in deployed


def test_each_check_is_registered_once():
    everything = {*registry.registry.registered_checks, *registry.registry.deployment_checks}
    names = [each.__name__ for each in everything]
    assert all(names.count(find.__name__) == 1 for find in (*checks.ALWAYS, *checks.DEPLOYED))


def test_a_number_is_said_by_one_check_alone():
    """Whoever searches for E026 finds one cause; a message silenced by number silences no other."""
    said = Counter(
        number
        for find in (*checks.ALWAYS, *checks.DEPLOYED)
        for number in {
            node.args[0].value
            for node in ast.walk(ast.parse(inspect.getsource(find)))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"error", "warning", "note"}
        }
    )
    assert said
    assert {number: times for number, times in said.items() if times > 1} == {}
