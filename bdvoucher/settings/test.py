"""The suite: real servers, fixed secrets, a fast password hasher."""

import base64
import os

from bdvoucher.settings.base import *

SECRET_KEY = SECRET_KEY or "test-only-secret-key-test-only-secret-key-test-only"
JWT_SIGNING_KEY = JWT_SIGNING_KEY or "test-only-jwt-key-test-only-jwt-key-test-only"
SIMPLE_JWT["SIGNING_KEY"] = JWT_SIGNING_KEY
CODE_KEYS = CODE_KEYS or {"t1": b"1" * 32}
CODE_FINGERPRINT_KEY = CODE_FINGERPRINT_KEY or base64.b64decode(base64.b64encode(b"2" * 32))
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Most tests commit nothing, so nothing would be put aside; those of the cache switch it on.
CATALOGUE_CACHE_SECONDS = CATALOGUE_STOCK_SECONDS = WEBHOOK_LISTENERS_SECONDS = 0
# Threads of race tests each need a connection of their own, closed when they end.
DATABASES["default"]["OPTIONS"].pop("pool")
if "BDV_POSTGRES_MODEL" in os.environ:  # migrated already, once for all (bdvoucher.local.model)
    DATABASES["default"]["TEST"] = {"TEMPLATE": "migrated"}
PAYSTATION_MERCHANT_ID = PAYSTATION_MERCHANT_ID or "104-1653730183"
PAYSTATION_PASSWORD = PAYSTATION_PASSWORD or "test-only-password"
BKASH_APP_KEY = BKASH_APP_KEY or "test-app-key"
BKASH_APP_SECRET = BKASH_APP_SECRET or "test-app-secret"
BKASH_USERNAME = BKASH_USERNAME or "test-user"
BKASH_PASSWORD = BKASH_PASSWORD or "test-password"
SSLCOMMERZ_STORE_ID = SSLCOMMERZ_STORE_ID or "teststore"
SSLCOMMERZ_STORE_PASSWORD = SSLCOMMERZ_STORE_PASSWORD or "test-only-store-password"
NAGAD_MERCHANT_ID = NAGAD_MERCHANT_ID or "683002007104225"
DCB_CARRIERS = ["bdapps", "applink"]
DCB_BDAPPS_APP_ID = DCB_BDAPPS_APP_ID or "APP_000001"
DCB_BDAPPS_PASSWORD = DCB_BDAPPS_PASSWORD or "test-password-of-bdapps"
DCB_APPLINK_BASE_URL = DCB_APPLINK_BASE_URL or "https://applink.example.com"
DCB_APPLINK_APP_ID = DCB_APPLINK_APP_ID or "APP_000002"
DCB_APPLINK_PASSWORD = DCB_APPLINK_PASSWORD or "test-password-of-applink"
ZENDIT_API_KEY = ZENDIT_API_KEY or "sand_test"
ZENDIT_WEBHOOK_SECRET = ZENDIT_WEBHOOK_SECRET or "test-webhook-secret"
RELOADLY_CLIENT_ID = RELOADLY_CLIENT_ID or "test-client"
RELOADLY_CLIENT_SECRET = RELOADLY_CLIENT_SECRET or "test-client-secret"
RELOADLY_WEBHOOK_SECRET = RELOADLY_WEBHOOK_SECRET or "test-reloadly-webhook-secret"
POINTS_BRIDGE_BASE_URL = POINTS_BRIDGE_BASE_URL or "https://points.example"
POINTS_BRIDGE_API_KEY = POINTS_BRIDGE_API_KEY or "test-points-key"
# The test server's own handler serves static files; nothing has been collected.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
